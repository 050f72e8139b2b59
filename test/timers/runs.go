package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"ottla/test/realfault"
)

// judgeRuns compares the runs that schedules have with those that came.
func judgeRuns(want map[string]time.Time, came []ran) *verdict {
	v := &verdict{stored: len(want)}
	seen := map[string]time.Time{}
	for _, r := range came {
		due, ours := want[r.name]
		first, twice := seen[r.name]
		switch {
		case !ours:
			v.note(&v.foreign, "the run %s came, and its schedule has none at that time", r.name)
			continue
		case twice:
			v.note(&v.doubled, "the run %s came twice, dated %v and %v", r.name, first, r.dated)
			continue
		case r.dated.Before(due):
			v.note(&v.early, "the run %s came at %v, before its time %v", r.name, r.dated, due)
		}
		seen[r.name] = r.dated
		v.late = append(v.late, r.dated.Sub(due))
	}
	for name, due := range want {
		if _, ok := seen[name]; !ok {
			v.note(&v.lost, "the run %s, due at %v, never came", name, due)
		}
	}
	slices.SortFunc(v.late, cmp.Compare)
	slices.Sort(v.examples)
	return v
}

// settledRuns waits until all runs have come that are due by last, and judges.
func settledRuns(ctx context.Context, addrs []string, a *agenda, last time.Time) (*verdict, error) {
	want := a.want()
	ctx, cancel := context.WithDeadline(ctx, last.Add(5*patience))
	defer cancel()
	for until := last.Add(patience); ; {
		came, err := readRuns(ctx, addrs)
		if err != nil {
			return nil, err
		}
		v := judgeRuns(want, came)
		if v.lost == 0 || time.Now().After(until) {
			break
		}
		if err := realfault.Pause(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
	// What came twice comes now.
	if err := realfault.Pause(ctx, time.Second); err != nil {
		return nil, err
	}
	came, err := readRuns(ctx, addrs)
	if err != nil {
		return nil, err
	}
	v := judgeRuns(want, came)
	return v, v.err()
}
