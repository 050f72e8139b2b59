//go:build linux

package main

import (
	"slices"

	"ottla/test/history"
)

// newest walks operations by Start and tells for each the newest generation that
// somebody had been given partitions in before it began, and by which operation.
// A generation that was begun and never came to an assignment is none: the
// coordinator keeps it in memory only, and after a restart its number is used
// again.
func (g *groupView) newest(want func(op *history.Op) bool, f func(op, newest *history.Op)) {
	told := byEnd(g.ops, g.claims)
	var newest *history.Op
	i := 0
	for _, op := range g.ops {
		for ; i < len(told) && told[i].End < op.Start; i++ {
			if newest == nil || told[i].Generation > newest.Generation {
				newest = told[i]
			}
		}
		if newest != nil && want(op) {
			f(op, newest)
		}
	}
}

// generational tells whether the group moves from generation to generation as a
// whole: its members are told of each by claims. Where members have epochs of
// their own, there are none.
func (g *groupView) generational() bool { return slices.ContainsFunc(g.ops, g.claims) }

// claims tells whether an operation is what the coordinator gave to a member,
// not what the member says it has.
func (g *groupView) claims(op *history.Op) bool {
	return op.Kind == history.Subscribe && op.Outcome == history.OK && !g.members[op.Process]
}

// staleCommit forbids that a commit of an old generation is taken: it began
// after a member had been told of a newer one, so whoever sent it had been given
// up, and its partitions may be another's.
func staleCommit(g *groupView, found *findings) {
	if !g.generational() {
		return
	}
	g.newest(func(op *history.Op) bool { return op.Kind == history.Commit && op.Outcome == history.OK }, func(op, newest *history.Op) {
		if op.Generation < newest.Generation {
			found.add("stale-commit", "%s: a commit of %s in generation %d was taken after %s had been told of %d",
				g.name, op.Member, op.Generation, newest.Member, newest.Generation)
		}
	})
}

// generationFell forbids that who joins gets an older generation than somebody
// had been given partitions in before. A claim's Start is before its join.
func generationFell(g *groupView, found *findings) {
	if !g.generational() {
		return
	}
	g.newest(g.claims, func(op, newest *history.Op) {
		if op.Generation < newest.Generation {
			found.add("generation-fell", "%s: %s joined and was told of generation %d after %s had been told of %d",
				g.name, op.Member, op.Generation, newest.Member, newest.Generation)
		}
	})
}

// unread forbids an acknowledged record that no member of the group has read.
func unread(g *groupView, found *findings) {
	seen := map[int64]bool{}
	for _, op := range g.reads {
		for _, m := range op.Micro {
			for _, r := range m.Records {
				seen[r.Value()] = true
			}
		}
	}
	for _, op := range g.sends {
		if op.Outcome != history.OK {
			continue
		}
		for _, m := range op.Micro {
			for _, r := range m.Records {
				if !seen[r.Value()] {
					found.add("unread", "%s: %d, acknowledged at %s offset %d, was read by no member", g.name, r.Value(), m.Partition, r.Offset())
				}
			}
		}
	}
}

// unfinished forbids that the group's last committed offset of a partition lies
// before its last acknowledged record.
func unfinished(g *groupView, found *findings) {
	last := map[string]int64{}
	for _, op := range byEnd(g.ops, func(op *history.Op) bool { return op.Kind == history.Committed && op.Outcome == history.OK }) {
		for _, p := range op.Positions {
			last[p.Partition] = p.Offset
		}
	}
	ends := map[string]int64{}
	for _, op := range g.sends {
		for _, m := range op.Micro {
			for _, r := range m.Records {
				if op.Outcome == history.OK {
					ends[m.Partition] = max(ends[m.Partition], r.Offset()+1)
				}
			}
		}
	}
	for partition, end := range ends {
		if last[partition] < end {
			found.add("unfinished", "%s: %s is committed up to %d, its records go up to %d", g.name, partition, last[partition], end)
		}
	}
}
