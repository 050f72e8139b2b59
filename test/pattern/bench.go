package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"ottla/internal/event/pattern"
)

// figures are what one run measures: events a second, bytes a rule, microseconds
// to add a rule while all are added, to add one more and to delete one, and the
// matches of one round of events.
type figures struct {
	Rate    float64 `json:"rate"`
	Bytes   float64 `json:"bytes"`
	Add     float64 `json:"add"`
	More    float64 `json:"more"`
	Delete  float64 `json:"delete"`
	Matches int     `json:"matches"`

	slow time.Duration // 99 of 100 events take less
}

// span is how much of the processors' time one measurement takes. It is their time
// that is measured, of the whole process, so that a busy machine measures the same.
const span = 3 * time.Second

// bench measures the loads, ours and both settings of event-ruler in turn, and
// prints ratios to the better of the two.
func bench(ctx context.Context, only string) error {
	dir, err := os.MkdirTemp("", "ottla-pattern-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "load\twho\tevents/s\tratio\tB/rule\tratio\tµs to add, all\tone more\tratio\tdelete\tratio\tp99 µs\tmatches\tgoals")
	short := 0
	for _, l := range loads {
		if only != "" && !slices.Contains(strings.Split(only, ","), l.name) {
			continue
		}
		holds, err := l.compare(ctx, dir, w)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		if !holds {
			short++
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if short > 0 {
		return fmt.Errorf("%d loads fall short of their goals", short)
	}
	return nil
}

// The goals beside event-ruler, at most: of its lean memory for a rule, and of its time
// to add each of all and to delete one. They are of loads with many rules: what few have
// is within what a heap differs by itself. A load says how many times as fast we shall be.
const (
	memoryGoal = 1.0 / 3
	changeGoal = 1.0 / 10
	manyRules  = 100_000
)

// verdict tells in words whether a load's goals are met, and so whether they are; loads
// without a goal are told alone.
func (l load) verdict(rate, memory, add, remove float64) (words string, holds bool) {
	if l.goal == 0 {
		return "reported", true
	}
	var missed []string
	for _, g := range []struct {
		what  string
		holds bool
	}{
		{fmt.Sprintf("events/s >= %.0f", l.goal), rate >= l.goal}, {"B/rule <= 1/3", l.rules < manyRules || memory <= memoryGoal},
		{"add <= 1/10", l.rules < manyRules || add <= changeGoal}, {"delete <= 1/10", l.rules < manyRules || remove <= changeGoal},
	} {
		if !g.holds {
			missed = append(missed, g.what)
		}
	}
	if len(missed) > 0 {
		return "SHORT of " + strings.Join(missed, ", "), false
	}
	return "ok", true
}

// compare measures one load, and tells whether its goals are met.
func (l load) compare(ctx context.Context, dir string, w *tabwriter.Writer) (bool, error) {
	rules, events := l.lines()
	rulesFile, eventsFile := filepath.Join(dir, "rules"), filepath.Join(dir, "events")
	if err := os.WriteFile(rulesFile, joined(rules), 0o644); err != nil {
		return false, err
	}
	if err := os.WriteFile(eventsFile, joined(events), 0o644); err != nil {
		return false, err
	}
	ours, err := l.ours(rules, events)
	if err != nil {
		return false, err
	}
	var theirs [2]figures
	for i, setting := range []string{"default", "lean"} {
		cmd, err := java(ctx, "Rates", "-Xmx3G")
		if err != nil {
			return false, err
		}
		cmd.Args = append(cmd.Args, rulesFile, eventsFile, setting)
		out, err := cmd.Output()
		if err != nil {
			return false, fmt.Errorf("event-ruler, %s: %w", setting, err)
		}
		if err := json.Unmarshal(out, &theirs[i]); err != nil {
			return false, fmt.Errorf("event-ruler prints %q: %w", out, err)
		}
		if theirs[i].Matches != ours.Matches {
			return false, fmt.Errorf("event-ruler finds %d matches, and we %d", theirs[i].Matches, ours.Matches)
		}
	}
	rate, memory := ours.Rate/max(theirs[0].Rate, theirs[1].Rate), ours.Bytes/theirs[1].Bytes
	add, remove := ours.More/min(theirs[0].More, theirs[1].More), ours.Delete/min(theirs[0].Delete, theirs[1].Delete)
	words, holds := l.verdict(rate, memory, ours.Add/min(theirs[0].Add, theirs[1].Add), remove)
	fmt.Fprintf(w, "%s\tours\t%.0f\t%.1f\t%.0f\t%.2f\t%.1f\t%.1f\t%.2f\t%.1f\t%.2f\t%.0f\t%d\t%s\n", l.name, ours.Rate, rate,
		ours.Bytes, memory, ours.Add, ours.More, add, ours.Delete, remove, float64(ours.slow.Nanoseconds())/1e3, ours.Matches, words)
	for i, setting := range []string{"event-ruler", "  lean"} {
		t := theirs[i]
		fmt.Fprintf(w, "\t%s\t%.0f\t\t%.0f\t\t%.1f\t%.1f\t\t%.1f\t\t\t\t\n", setting, t.Rate, t.Bytes, t.Add, t.More, t.Delete)
	}
	return holds, nil
}

// ours measures our own engine in one goroutine.
func (l load) ours(rules, events []string) (f figures, err error) {
	bodies := make([][]byte, len(events))
	for i, e := range events {
		bodies[i] = []byte(e)
	}
	before := heap()
	start := cpu()
	edit := pattern.NewSet().Edit()
	for i, text := range rules[:l.rules] {
		p, err := pattern.Parse([]byte(text))
		if err != nil {
			return f, err
		}
		edit.Put(pattern.ID(i), p)
	}
	set := edit.Set()
	f.Add = micros(start, l.rules)
	edit = nil
	f.Bytes = float64(heap()-before) / float64(l.rules)
	if f.Rate, f.Matches, err = rate(set, bodies); err != nil {
		return f, err
	}
	if f.slow, err = slowest(set, bodies); err != nil {
		return f, err
	}
	if set, err = l.change(set, rules[l.rules:], &f); err != nil {
		return f, err
	}
	if set.Len() != l.rules {
		return f, fmt.Errorf("%d rules are left of %d", set.Len(), l.rules)
	}
	return f, nil
}

// change adds and deletes rules in rounds, each change a version of its own, as a bus
// would.
func (l load) change(set *pattern.Set, rules []string, f *figures) (*pattern.Set, error) {
	var added, deleted time.Duration
	rounds := 0
	for ; added+deleted < span; rounds++ {
		start := cpu()
		for i, text := range rules {
			p, err := pattern.Parse([]byte(text))
			if err != nil {
				return nil, err
			}
			set = set.With(pattern.ID(l.rules+i), p)
		}
		half := cpu()
		for i := range rules {
			set = set.Without(pattern.ID(l.rules + i))
		}
		added, deleted = added+half-start, deleted+cpu()-half
	}
	changes := float64(rounds * len(rules) * 1000)
	f.More, f.Delete = float64(added.Nanoseconds())/changes, float64(deleted.Nanoseconds())/changes
	return set, nil
}

// micros is the processors' time since start, for each of n.
func micros(start time.Duration, n int) float64 {
	return float64((cpu() - start).Nanoseconds()) / 1e3 / float64(n)
}

// rate matches for a span, and counts the matches of the first round.
func rate(set *pattern.Set, events [][]byte) (perSecond float64, matches int, err error) {
	var m pattern.Matcher
	var ids []pattern.ID
	done := 0
	for start := cpu(); ; {
		for _, e := range events {
			if ids, err = set.Match(e, &m, ids[:0]); err != nil {
				return 0, 0, err
			}
			if done < len(events) {
				matches += len(ids)
			}
			done++
		}
		if took := cpu() - start; took > span {
			return float64(done) / took.Seconds(), matches, nil
		}
	}
}

// slowest is the time that 99 of 100 events take less than.
func slowest(set *pattern.Set, events [][]byte) (time.Duration, error) {
	var m pattern.Matcher
	var ids []pattern.ID
	all := make([]time.Duration, len(events))
	for i, e := range events {
		start := time.Now()
		var err error
		if ids, err = set.Match(e, &m, ids[:0]); err != nil {
			return 0, err
		}
		all[i] = time.Since(start)
	}
	slices.Sort(all)
	return all[len(all)*99/100], nil
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
