package main

import (
	"fmt"
	"slices"
	"time"

	"ottla/internal/event/cron"
)

// tally counts what was compared.
type tally struct {
	expressions, runs int
	// agreed are moments of which the two others said the same; differ those of
	// which they did not: there ours was as croniter has it, or as cron-parser.
	agreed, asCroniter, asCronParser int
	refused                          int // by one of the others
	// skipped are runs of both others just after the clocks were moved: of a time
	// that clocks skip, or that comes a second time. Ours are as EventBridge
	// Scheduler has it, where these are none.
	skipped int
	wrong   []string
}

// mostRuns bounds the runs of one question.
const mostRuns = 30_000

// ourRuns are our answer.
func ourRuns(text, zone string, from, until int64) ([]int64, error) {
	z, err := time.LoadLocation(zone)
	if err != nil {
		return nil, err
	}
	e, err := cron.Parse(text, z)
	if err != nil {
		return nil, err
	}
	var out []int64
	for at := time.Unix(from, 0); len(out) < mostRuns; {
		next, ok := e.Next(time.Time{}, at)
		if !ok || next.Unix() >= until {
			break
		}
		out = append(out, next.Unix())
		at = next
	}
	return out, nil
}

// judge takes up one comparison. Runs are compared up to the last moment that all
// three have looked at.
func (t *tally) judge(d drawn, zone string, ours []int64, croniter, cronParser reply) {
	if croniter.Error != "" || cronParser.Error != "" {
		t.refused++
		return
	}
	upTo := int64(1<<62 - 1)
	for _, runs := range [][]int64{ours, croniter.Runs, cronParser.Runs} {
		if len(runs) >= mostRuns {
			upTo = min(upTo, runs[len(runs)-1])
		}
	}
	for _, at := range moments(ours, croniter.Runs, cronParser.Runs) {
		if at > upTo {
			break
		}
		a, b, own := has(croniter.Runs, at), has(cronParser.Runs, at), has(ours, at)
		switch {
		case a == b && own == a:
			t.agreed++
		case a && b && justMoved(at, zone):
			t.skipped++
		case a == b:
			t.wrong = append(t.wrong, fmt.Sprintf("%s in %s: %s is a run for both: %t, for ours: %t", d.ours, zone, shown(at, zone), a, own))
		case own == a:
			t.asCroniter++
		default:
			t.asCronParser++
		}
		if own {
			t.runs++
		}
	}
}

// justMoved tells a moment whose clocks were moved so short a time before that they
// have skipped, or show again, what they show then.
func justMoved(at int64, zone string) bool {
	z, err := time.LoadLocation(zone)
	if err != nil {
		return false
	}
	t := time.Unix(at, 0).In(z)
	_, offset := t.Zone()
	moved, _ := t.ZoneBounds()
	if moved.IsZero() {
		return false
	}
	_, before := moved.Add(-time.Second).Zone()
	return t.Sub(moved) < (time.Duration(offset-before) * time.Second).Abs()
}

func has(runs []int64, at int64) bool {
	_, ok := slices.BinarySearch(runs, at)
	return ok
}

// moments are all that somebody takes for a run.
func moments(all ...[]int64) []int64 {
	out := slices.Concat(all...)
	slices.Sort(out)
	return slices.Compact(out)
}

func shown(at int64, zone string) string {
	z, err := time.LoadLocation(zone)
	if err != nil {
		z = time.UTC
	}
	return time.Unix(at, 0).In(z).Format(time.RFC3339)
}
