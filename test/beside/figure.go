package beside

import (
	"fmt"
	"slices"
)

// Way says which way a ratio counts.
type Way int8

// The ways.
const (
	Reported Way = iota // it is told, and not judged
	AtMost              // ours is to be at most so much of the other's
	AtLeast
)

// Figure is one number of a measure.
type Figure struct {
	Name string
	Way  Way
	Goal float64 // bound of the ratio ours / other's
	Own  bool    // the goal bounds our own number instead
}

// bound is the goal as it is printed.
func (f Figure) bound() string {
	switch f.Way {
	case AtMost:
		return "<= " + f.goal()
	case AtLeast:
		return ">= " + f.goal()
	}
	return ""
}

func (f Figure) goal() string {
	if f.Own {
		return fmt.Sprintf("%.0f", f.Goal)
	}
	return fmt.Sprintf("%.2g", f.Goal)
}

// Seen are a run's numbers by the names of figures.
type Seen map[string]float64

// Outcome is what a run brought.
type Outcome struct {
	Seen   Seen
	Others float64 // cores that neither the measured processes nor the load took
}

// verdict is a figure over all pairs: medians of both, and of the pairs' ratios.
type verdict struct {
	other, ours, ratio float64
	holds              bool
}

func judge(f Figure, pairs []Pair) verdict {
	var a, b, ratios []float64
	for _, p := range pairs {
		x, y := p.Other.Seen[f.Name], p.Ours.Seen[f.Name]
		a, b, ratios = append(a, x), append(b, y), append(ratios, y/max(x, 1e-9))
	}
	v := verdict{other: median(a), ours: median(b), ratio: median(ratios), holds: true}
	what := v.ratio
	if f.Own {
		what = v.ours
	}
	switch f.Way {
	case AtMost:
		v.holds = what <= f.Goal
	case AtLeast:
		v.holds = what >= f.Goal
	}
	return v
}

func (v verdict) word(f Figure) string {
	switch {
	case f.Way == Reported:
		return "reported"
	case v.holds:
		return "ok"
	}
	return "SHORT"
}

// median of some numbers; of an even count the mean of the two in the middle.
func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}
