//go:build linux

package main

import (
	"fmt"
	"slices"
)

const header = "measure        figure              kafka      ottla    ratio   goal    verdict"

// report prints a measure's figures and tells how many fall short.
func report(m measure, g gathered) (short int) {
	for _, f := range m.figures {
		if len(g.pairs) == 0 {
			fmt.Printf("%-14s %-14s not measured: others took more than half a core in all of %d pairs\n", m.name, f.name, g.thrown)
			if f.way != reported {
				short++
			}
			continue
		}
		v := judge(f, g.pairs)
		if !v.holds {
			short++
		}
		fmt.Printf("%-14s %-14s %10.3f %10.3f %8.3f   %-7s %s%s\n", m.name, f.name, v.kafka, v.ottla, v.ratio, f.bound(), v.word(f), thrownAway(g))
	}
	return short
}

func thrownAway(g gathered) string {
	if g.thrown == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d pairs thrown away)", g.thrown)
}

// verdict is a figure over all pairs: medians of both, and of the pairs' ratios.
type verdict struct {
	kafka, ottla, ratio float64
	holds               bool
}

func judge(f figure, pairs []pair) verdict {
	var k, o, ratios []float64
	for _, p := range pairs {
		a, b := p.kafka.seen[f.name], p.ottla.seen[f.name]
		k, o = append(k, a), append(o, b)
		ratios = append(ratios, b/max(a, 1e-9))
	}
	v := verdict{kafka: median(k), ottla: median(o), ratio: median(ratios)}
	switch f.way {
	case lower:
		v.holds = v.ratio <= f.goal
	case higher:
		v.holds = v.ratio >= f.goal
	default:
		v.holds = true
	}
	return v
}

func (v verdict) word(f figure) string {
	switch {
	case f.way == reported:
		return "reported"
	case v.holds:
		return "ok"
	}
	return "SHORT"
}

// bound is the goal as it is printed.
func (f figure) bound() string {
	switch f.way {
	case lower:
		return fmt.Sprintf("<= %.2g", f.goal)
	case higher:
		return fmt.Sprintf(">= %.2g", f.goal)
	}
	return ""
}

// median of some numbers; of an even count the mean of the two in the middle.
func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}
