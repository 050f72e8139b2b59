//go:build linux

package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ottla/test/history"
)

// groupRule looks at one group in a history, by Start.
type groupRule func(g *groupView, found *findings)

// groupRules are what package history does not judge: each has its own
// function, with what it forbids at its head.
var groupRules = []groupRule{staleCommit, generationFell, unread, unfinished}

// findings are the broken promises of all groups.
type findings struct {
	count    map[string]int
	examples []string
}

// maxExamples bounds the examples of one rule.
const maxExamples = 5

func (f *findings) add(rule, format string, args ...any) {
	f.count[rule]++
	if f.count[rule] <= maxExamples {
		f.examples = append(f.examples, rule+": "+fmt.Sprintf(format, args...))
	}
}

// verdict is what both judges say.
type verdict struct {
	general *history.Report
	groups  *findings
}

func (v verdict) ok() bool { return v.general.OK() && len(v.groups.count) == 0 }

// String is the verdict for people.
func (v verdict) String() string {
	var b strings.Builder
	b.WriteString(v.general.String())
	for _, rule := range slices.Sorted(maps.Keys(v.groups.count)) {
		fmt.Fprintf(&b, "\n  %s %d", rule, v.groups.count[rule])
	}
	for _, e := range v.groups.examples {
		b.WriteString("\n  " + e)
	}
	return b.String()
}

// judge judges a history with its groups. exact is set where the marks and the
// records of a fetch are of one moment, as Ottla's are; more are rules beside groupRules.
func judge(ops []history.Op, exact bool, more ...groupRule) verdict {
	v := verdict{
		general: history.Check(ops, history.Options{Idempotent: true, ExactMarks: exact}),
		groups:  &findings{count: map[string]int{}},
	}
	for _, g := range viewGroups(ops) {
		for _, rule := range slices.Concat(groupRules, more) {
			rule(g, v.groups)
		}
	}
	return v
}

// groupView is one group: its operations by Start, and all sends.
type groupView struct {
	name    string
	ops     []*history.Op
	sends   []*history.Op
	members map[int32]bool // the processes that read for it
	reads   []*history.Op  // what they polled

	fates      []*history.Op // its members' and the broker's, by Start
	outages    []span        // of the broker
	partitions []string      // all that anybody sent to or was given
	last       int64         // the history's end
}

// viewGroups makes one of each group, by name.
func viewGroups(ops []history.Op) []*groupView {
	all := map[string]*groupView{}
	var sends []*history.Op
	readers := map[int32]bool{} // a process that reads has an end
	for i := range ops {
		op := &ops[i]
		switch {
		case op.Kind == history.Send:
			sends = append(sends, op)
		case op.Kind == history.Crash:
			readers[op.Process] = true
		case op.Group != "" && all[op.Group] == nil:
			all[op.Group] = &groupView{name: op.Group, members: map[int32]bool{}}
		}
		if op.Group != "" {
			all[op.Group].ops = append(all[op.Group].ops, op)
		}
	}
	var out []*groupView
	for _, name := range slices.Sorted(maps.Keys(all)) {
		g := all[name]
		g.sends = sends
		slices.SortFunc(g.ops, func(a, b *history.Op) int { return cmp.Compare(a.Start, b.Start) })
		for _, op := range g.ops {
			if op.Kind == history.Subscribe && readers[op.Process] {
				g.members[op.Process] = true
			}
		}
		for i := range ops {
			if ops[i].Kind == history.Poll && g.members[ops[i].Process] {
				g.reads = append(g.reads, &ops[i])
			}
		}
		g.lookAround(ops)
		out = append(out, g)
	}
	return out
}

// lookAround finds what happened to the group, and where.
func (g *groupView) lookAround(ops []history.Op) {
	parts := map[string]bool{}
	for i := range ops {
		op := &ops[i]
		g.last = max(g.last, op.End)
		for _, m := range op.Micro {
			parts[m.Partition] = true
		}
		for _, p := range op.Positions {
			parts[p.Partition] = true
		}
		if op.Kind == fate && (op.Group == g.name || op.Group == "") {
			g.fates = append(g.fates, op)
		}
	}
	g.partitions = slices.Sorted(maps.Keys(parts))
	slices.SortFunc(g.fates, func(a, b *history.Op) int { return cmp.Compare(a.Start, b.Start) })
	var since int64
	for _, op := range g.fates {
		switch op.Error {
		case down:
			since = op.Start
		case up:
			g.outages = append(g.outages, span{since, op.Start})
		}
	}
}

// byEnd gives the operations that want picks, by End.
func byEnd(ops []*history.Op, want func(op *history.Op) bool) (out []*history.Op) {
	for _, op := range ops {
		if want(op) {
			out = append(out, op)
		}
	}
	slices.SortFunc(out, func(a, b *history.Op) int { return cmp.Compare(a.End, b.End) })
	return out
}
