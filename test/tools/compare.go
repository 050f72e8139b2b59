package main

import (
	"errors"
	"fmt"

	"ottla/test/known"
)

// comparison gathers the differences of a run.
type comparison struct {
	known                      *known.List
	left, right                string // the sides' names
	verbose                    bool
	steps, lines               int
	listedCount, unlistedCount int
}

// compare compares the two outputs: lines that only one side has, each where
// it stands, in the order of the longest common sequence.
func (c *comparison) compare(step string, kafka, ottla []string) {
	c.steps++
	c.lines += len(kafka)
	if c.verbose {
		for _, line := range ottla {
			fmt.Printf("      %s (%s): %s\n", step, c.right, line)
		}
	}
	var onlyKafka, onlyOttla []string
	flush := func() {
		for i := range max(len(onlyKafka), len(onlyOttla)) {
			k, o := known.Absent, known.Absent
			if i < len(onlyKafka) {
				k = onlyKafka[i]
			}
			if i < len(onlyOttla) {
				o = onlyOttla[i]
			}
			c.line(step, k, o)
		}
		onlyKafka, onlyOttla = nil, nil
	}
	for _, d := range diff(kafka, ottla) {
		switch d.side {
		case 0:
			flush()
		case -1:
			onlyKafka = append(onlyKafka, d.line)
		case 1:
			onlyOttla = append(onlyOttla, d.line)
		}
	}
	flush()
}

func (c *comparison) line(step, kafka, ottla string) {
	if d := c.known.Find(step, kafka, ottla); d != nil {
		c.listedCount++
		return
	}
	c.unlistedCount++
	fmt.Printf("DIFF  %s\n        %s: %s\n        %s: %s\n", step, c.left, kafka, c.right, ottla)
}

// edit is a line of both (0), of Kafka only (-1) or of Ottla only (1).
type edit struct {
	side int
	line string
}

// diff is the plain quadratic one: outputs are short.
func diff(a, b []string) []edit {
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []edit
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, edit{0, a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, edit{-1, a[i]})
			i++
		default:
			out = append(out, edit{1, b[j]})
			j++
		}
	}
	return out
}

// report prints the sums; whole says that the whole script ran.
func (c *comparison) report(whole bool) error {
	if whole {
		for _, d := range c.known.Unused() {
			fmt.Printf("note  a listed difference was not met: %s (%s)\n", d.Where, d.What)
		}
	}
	fmt.Printf("%s and %s: %d steps, %d lines compared: %d listed differences, %d others\n",
		c.left, c.right, c.steps, c.lines, c.listedCount, c.unlistedCount)
	if c.steps == 0 {
		return errors.New("no step has that name")
	}
	if c.unlistedCount > 0 {
		return fmt.Errorf("%s and %s have differences that test/known does not list", c.left, c.right)
	}
	return nil
}
