package main

import (
	"errors"
	"fmt"

	"ottla/test/known"
)

// comparison gathers the differences of a run.
type comparison struct {
	known                     *known.List
	verbose                   bool
	stories, fields           int
	listedCount, unknownCount int
}

// compare compares one story's transcripts line by line.
func (c *comparison) compare(story string, kafka, ottla transcript) {
	c.stories++
	for _, name := range kafka.names {
		mine, ok := ottla.values[name]
		if !ok {
			mine = known.Absent
		}
		c.line(story+"/"+name, kafka.values[name], mine)
	}
	for _, name := range ottla.names {
		if _, both := kafka.values[name]; !both {
			c.line(story+"/"+name, known.Absent, ottla.values[name])
		}
	}
}

func (c *comparison) line(where, kafka, ottla string) {
	c.fields++
	if c.verbose {
		fmt.Printf("      %s: %s\n", where, kafka)
	}
	if kafka == ottla {
		return
	}
	d := c.known.Find(where, kafka, ottla)
	switch {
	case d == nil:
		c.unknownCount++
		fmt.Printf("DIFF  %s\n        kafka: %s\n        ottla: %s\n", where, kafka, ottla)
	default:
		c.listedCount++
		if c.verbose {
			fmt.Printf("known %s\n        kafka: %s\n        ottla: %s\n        %s\n", where, kafka, ottla, d.What)
		}
	}
}

// report prints the sums; whole says that every story ran.
func (c *comparison) report(whole bool) error {
	if whole {
		for _, d := range c.known.Unused() {
			fmt.Printf("note  a listed difference was not met: %s (%s)\n", d.Where, d.What)
		}
	}
	fmt.Printf("%d stories, %d fields compared: %d listed differences, %d others\n", c.stories, c.fields, c.listedCount, c.unknownCount)
	if c.stories == 0 {
		return errors.New("no story has that name")
	}
	if c.unknownCount > 0 {
		return fmt.Errorf("%d differences are not listed in test/known", c.unknownCount)
	}
	return nil
}
