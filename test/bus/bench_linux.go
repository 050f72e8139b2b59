package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ottla/test/beside"
)

var (
	pairs    = flag.Int("pairs", 3, "with -bench: pairs of runs a figure")
	events   = flag.Int("events", 500_000, "with -bench: events of a run; of addresses a tenth")
	seconds  = flag.Int("seconds", 10, "with -bench: how long a run at a fixed rate takes")
	others   = flag.Int("rules", 100_000, "with -bench: rules of other sources and types")
	report   = flag.Bool("report", false, "with -bench: tell the figures, and end well whatever they are")
	keepBusy = flag.Bool("keep-busy", false, "with -bench: keep pairs during which others took more than half a core")
	profile  = flag.String("profile", "", "with -bench: write a CPU profile of each of our runs into this folder")
)

// The names of numbers.
const (
	figPassed = "events/s"
	figPut    = "put events/s"
	figCPU    = "CPU µs/event"
	figP50    = "p50 ms"
	figP99    = "p99 ms"
	figCalls  = "calls/s"
	figBytes  = "bytes/target"
)

// figure is one thing that is measured: ours, beside another. Each has a node of its
// own.
type figure struct {
	name, other, us string
	rows            []beside.Figure
	prepare         func(ctx context.Context, n *node) error
	beside, ours    func(ctx context.Context, n *node, run int) (beside.Outcome, error)
}

// all figures, in the order they run.
var all = []figure{
	{name: "through", other: "plain topic", us: "bus", prepare: toQueue, beside: plain, ours: through, rows: []beside.Figure{
		{Name: figPassed, Way: beside.AtLeast, Goal: 100_000, Own: true}, {Name: figPut}, {Name: figCPU}}},
	{name: "latency", other: "plain topic", us: "queue", prepare: toQueue, beside: latencyPlain, ours: latencyQueue, rows: []beside.Figure{
		{Name: figP99, Way: beside.AtMost, Goal: 3}, {Name: figP50}, {Name: figCPU}}},
	{name: "rules", other: "one rule", us: "among many", prepare: manyRules, beside: throughFew, ours: throughMany, rows: []beside.Figure{
		{Name: figPassed, Way: beside.AtLeast, Goal: 0.9}, {Name: figPut, Way: beside.AtLeast, Goal: 0.9}, {Name: figCPU}}},
	{name: "webhooks", other: "client loop", us: "bus", prepare: toAddress, beside: rawCalls, ours: busCalls, rows: []beside.Figure{
		{Name: figCalls, Way: beside.AtLeast, Goal: 0.7}, {Name: figCPU}}},
	{name: "dead", other: "others live", us: "others dead", prepare: toAddresses, beside: besideLive, ours: besideDead, rows: []beside.Figure{
		{Name: figCalls, Way: beside.AtLeast, Goal: 0.95}, {Name: figCPU}}},
	{name: "idle", other: "no target", us: "idle targets", beside: noTargets, ours: idleTargets, rows: []beside.Figure{
		{Name: figBytes, Way: beside.AtMost, Goal: 20 << 10, Own: true}}},
	{name: "replay", other: "live", us: "replayed", prepare: toQueue, beside: through, ours: replayed, rows: []beside.Figure{
		{Name: figPassed, Way: beside.AtLeast, Goal: 0.8}, {Name: figCPU}}},
}

// choose finds figures by their names, comma-separated.
func choose(names string) ([]figure, error) {
	if names == "all" {
		return all, nil
	}
	var out []figure
	for name := range strings.SplitSeq(names, ",") {
		found, known := false, []string{"all"}
		for _, f := range all {
			if known = append(known, f.name); f.name == name {
				out, found = append(out, f), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no figure is named %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return out, nil
}

// measure measures figures in a folder, and judges them.
func measure(ctx context.Context, dir string) error {
	chosen, err := choose(*bench)
	if err != nil {
		return err
	}
	short := 0
	for _, f := range chosen {
		n, err := f.measure(ctx, filepath.Join(dir, f.name))
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		short += n
	}
	if short > 0 && !*report {
		return fmt.Errorf("%d %w", short, errShort)
	}
	return nil
}

// measure measures one figure, and tells how many of its numbers fall short.
func (f figure) measure(ctx context.Context, dir string) (short int, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	n, err := startNode(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	if f.prepare != nil {
		if err := f.prepare(ctx, n); err != nil {
			return 0, err
		}
	}
	// Both work before anything counts: files are made, and memory is there.
	if _, err = f.beside(ctx, n, -1); err == nil {
		_, err = f.ours(ctx, n, -1)
	}
	if err != nil {
		return 0, err
	}
	got, err := beside.Alternate(*pairs, *keepBusy,
		func(i int) (beside.Outcome, error) { return f.told(f.other)(f.beside(ctx, n, i)) },
		func(i int) (beside.Outcome, error) {
			defer n.profile(ctx, fmt.Sprintf("%s-%d", f.name, i))()
			return f.told(f.us)(f.ours(ctx, n, i))
		})
	if err != nil {
		return 0, err
	}
	if err := beside.Head(os.Stdout, f.other, f.us); err != nil {
		return 0, err
	}
	return beside.Report(os.Stdout, f.name, f.rows, got)
}

// told prints what a run brought, as it comes.
func (f figure) told(who string) func(beside.Outcome, error) (beside.Outcome, error) {
	return func(o beside.Outcome, err error) (beside.Outcome, error) {
		if err != nil {
			return o, err
		}
		fmt.Printf("%-14s %-12s", f.name, who)
		for _, row := range f.rows {
			fmt.Printf("  %s %.6g", row.Name, o.Seen[row.Name])
		}
		fmt.Printf("  (others %.2f cores, %s)\n", o.Others, time.Now().Format(time.TimeOnly))
		return o, nil
	}
}
