//go:build linux

package main

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"ottla/test/history"
)

// report prints what was done and what came of it.
func report(d *driver, v *watcher, ops []history.Op) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer func() { _ = w.Flush() }() // to a terminal
	fmt.Fprintln(w, "\nfault\ttimes")
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\t%d\n", k.name, d.hits[k.name])
	}
	fmt.Fprintf(w, "longest time without a broker\t%v\n", d.down.Round(time.Millisecond))
	fmt.Fprintln(w, "\ngroup\tmembers\tgenerations\tcommits\trefused or lost\tread\tlongest stand-still\tquiet stretches\tall owned after (median, longest)")
	for _, g := range viewGroups(ops) {
		f, q := figuresOf(g), settlingOf(g, *settle)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%v\t%d\t%v, %v\n", g.name, len(g.members), f.generations, f.taken, f.tried-f.taken, f.read, v.stood[g.name].Round(100*time.Millisecond),
			q.stretches, q.median.Round(time.Millisecond), q.longest.Round(time.Millisecond))
	}
}

// figures of a group are what shows that something happened in it.
type figures struct{ generations, tried, taken, read int }

func figuresOf(g *groupView) (f figures) {
	generations := map[int32]bool{}
	for _, op := range g.ops {
		switch op.Kind {
		case history.Subscribe:
			generations[op.Generation] = true
		case history.Commit:
			if op.Outcome == history.Info {
				f.tried++
			} else {
				f.taken++
			}
		}
	}
	for _, op := range g.reads {
		for _, m := range op.Micro {
			f.read += len(m.Records)
		}
	}
	f.generations = len(generations)
	return f
}
