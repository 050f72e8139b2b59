//go:build linux

package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"
)

// A gap begins and ends with what is asked about, whatever was before or came
// after.
func TestTheLongestTimeWithoutASuccessCounts(t *testing.T) {
	base := time.Unix(1000, 0)
	at := func(ms int) time.Time { return base.Add(time.Duration(ms) * time.Millisecond) }
	for what, c := range map[string]struct {
		beats    []int
		from, to int
		want     int
	}{
		"nothing ever":                   {nil, 0, 700, 700},
		"from the fault to the first":    {[]int{-50, 300, 310, 400}, 0, 500, 300},
		"between two":                    {[]int{10, 200, 900}, 0, 1000, 700},
		"from the last to the end":       {[]int{10, 20}, 0, 1000, 980},
		"what came before and after":     {[]int{-900, -10, 100, 2000, 9000}, 0, 150, 100},
		"a success at the very moment":   {[]int{0, 100}, 0, 150, 100},
		"two that came at the same time": {[]int{100, 100, 200}, 0, 200, 100},
	} {
		p := new(pulse)
		for _, b := range c.beats {
			p.at = append(p.at, at(b))
		}
		if got := p.gap(at(c.from), at(c.to)); got != time.Duration(c.want)*time.Millisecond {
			t.Errorf("%s: %v, want %d ms", what, got, c.want)
		}
	}
}

func TestOfSeveralTheWorstCounts(t *testing.T) {
	ps, began := newPulses(2), time.Now()
	ps[0].beat()
	if ps.after(began) {
		t.Error("one of two has beaten, and that is taken for both")
	}
	ps[1].beat()
	if !ps.after(began) {
		t.Error("both have beaten")
	}
	now := time.Now()
	if got, want := ps.gap(began, now.Add(time.Hour)), ps[0].gap(began, now.Add(time.Hour)); got != want {
		t.Errorf("the longest gap is %v, want that of who has beaten first, %v", got, want)
	}
	ps[0].forget()
	if ps.after(began) {
		t.Error("what was forgotten counts")
	}
}

func TestQuantilesAreValuesThatWereSeen(t *testing.T) {
	var values []float64
	for i := range 200 {
		values = append(values, float64(200-i)) // 200 … 1
	}
	for q, want := range map[float64]float64{0: 1, 0.5: 100, 0.99: 198, 1: 200} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if got := quantile([]float64{3, 9, 1}, 0.99); got != 9 {
		t.Errorf("of three the p99 is %v, want the largest", got)
	}
	if got := quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("of none it is %v", got)
	}
}

// A row that has no goal is told, one that has none of its values is not.
func TestTheTableSaysWhatMissedItsGoal(t *testing.T) {
	f := newFigures()
	f.time("kill direct", time.Hour)
	f.time("kill client", 2*time.Second)
	f.time("stop client", 400*time.Millisecond)
	f.time("stop client", 501*time.Millisecond)
	var out bytes.Buffer
	missed := f.print(&out)
	if len(missed) != 1 || missed[0] != "stop client" {
		t.Errorf("missed are %v", missed)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 2+3 {
		t.Errorf("the table has %d lines:\n%s", lines, out.String())
	}
	if !strings.Contains(out.String(), "| 2 | 400 | 501 | 501 | ≤ 500 missed | ms |") {
		t.Errorf("the row is not in the table:\n%s", out.String())
	}
}

// Every figure belongs to a part that can be asked for.
func TestEveryFigureBelongsToAPart(t *testing.T) {
	f := newFigures()
	has := map[string]bool{}
	for _, name := range f.names {
		has[f.rows[name].part] = true
	}
	if len(has) != len(parts) {
		t.Errorf("figures belong to the parts %v, there are %v", has, parts)
	}
	for _, part := range parts {
		if !has[part] {
			t.Errorf("part %s has no figure", part)
		}
	}
}
