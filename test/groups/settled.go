//go:build linux

package main

import (
	"cmp"
	"slices"
	"time"

	"ottla/test/history"
)

// span is a time in which something happens to a group, from its cause until
// the coordinator can know of it.
type span struct{ from, to int64 }

// stretch is a time in which nothing happens to a group, and how long into it
// some partition had no owner.
type stretch struct {
	span
	after time.Duration
	open  string // a partition that had none then
}

// settled forbids that, from the last change of a quiet stretch on, it takes
// longer than within until every partition is owned by a live member and stays
// so. A change is that a member joins, has left, comes back, or is noticed to be
// gone, which is when its session ends, and that the broker is up again. Stretches
// shorter than within show nothing. It holds for groups whose members have epochs
// of their own (KIP-848): others wait for all of their members at each change.
func settled(within time.Duration) groupRule {
	return func(g *groupView, found *findings) {
		if g.generational() {
			return
		}
		all := g.stretches(within)
		if len(all) == 0 {
			found.add("never-quiet", "%s: something happened all the time, so nothing is known of how fast it settles", g.name)
		}
		for _, s := range all {
			if s.after > within {
				found.add("settled-late", "%s: %v after the last change (at %v) %s had no owner yet", g.name,
					s.after.Round(time.Millisecond), time.Duration(s.from).Round(time.Millisecond), s.open)
			}
		}
	}
}

// stretches are the quiet ones of at least the given length that began with
// members.
func (g *groupView) stretches(least time.Duration) (out []stretch) {
	var spans []span
	for _, c := range g.changes() {
		spans = append(spans, c.span)
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	reports := g.reports()
	for i, s := range spans {
		if i > 0 {
			spans[i].to = max(s.to, spans[i-1].to)
		}
		q := stretch{span: span{spans[i].to, g.last}}
		if i+1 < len(spans) {
			q.to = spans[i+1].from
		}
		if q.to-q.from >= int64(least) && g.inhabited(q.from) {
			g.measure(&q, reports)
			out = append(out, q)
		}
	}
	return out
}

// change is one member's, or the broker's.
type change struct {
	span
	process int32
	what    string
	back    int64 // of one that was silent: when it could speak again
}

// changes reads the fates. What the coordinator was not told of it knows when
// the session is over, which begins anew with the broker.
func (g *groupView) changes() (out []change) {
	begun := map[int32]int64{} // when a member began to leave, or fell silent
	for _, op := range g.fates {
		c := change{span: span{op.Start, op.Start}, process: op.Process, what: op.Error}
		switch op.Error {
		case leaves, silent, down:
			begun[op.Process] = op.Start
			continue
		case dies:
			c.to = g.noticed(op.Start)
		case left:
			c.from = begun[op.Process]
			if g.away(c.from, c.to) {
				c.to = g.noticed(c.to) // it could not say so
			}
		case back:
			s := begun[op.Process]
			out = append(out, change{span{s, min(g.noticed(s), op.Start)}, op.Process, silent, op.Start})
		case up:
			c.from = begun[op.Process]
		}
		out = append(out, c)
	}
	return out
}

// noticed is when the coordinator gives up a member that it hears no more from a
// time on.
func (g *groupView) noticed(since int64) int64 {
	at := since + int64(sessionTimeout)
	for _, o := range g.outages {
		if o.from < at && o.to > since {
			at = o.to + int64(sessionTimeout)
		}
	}
	return at
}

// away tells whether the broker was at any moment of a time.
func (g *groupView) away(from, to int64) bool {
	return slices.ContainsFunc(g.outages, func(o span) bool { return o.from < to && o.to > from })
}

// inhabited tells whether the group has members at a time.
func (g *groupView) inhabited(at int64) bool {
	n := 0
	for _, op := range g.fates {
		if op.Start > at {
			break
		}
		switch op.Error {
		case joins:
			n++
		case dies, leaves:
			n--
		}
	}
	return n > 0
}

// owning is what a member has from a time on.
type owning struct {
	at      int64
	process int32
	owns    []history.Position
	said    bool // by the member itself
	again   bool // it has what it said last
}

// reports are those of all members, by time; that of one that is gone is
// nothing. One that was silent and was not given up goes on with what it had,
// and says nothing of it; one that was given up says so as soon as it hears it.
func (g *groupView) reports() []owning {
	out := []owning{{process: -1}} // at first nobody has anything
	for _, op := range g.ops {
		if op.Kind == history.Subscribe && g.members[op.Process] {
			out = append(out, owning{at: op.End, process: op.Process, owns: op.Positions, said: true})
		}
	}
	for _, c := range g.changes() {
		switch c.what {
		case dies:
			out = append(out, owning{at: c.from, process: c.process})
		case silent:
			out = append(out, owning{at: c.to, process: c.process}, owning{at: c.back, process: c.process, again: true})
		case left:
			out = append(out, owning{at: c.to, process: c.process})
		}
	}
	slices.SortStableFunc(out, func(a, b owning) int { return cmp.Compare(a.at, b.at) })
	said := map[int32][]history.Position{}
	for i := range out {
		switch r := &out[i]; {
		case r.again:
			r.owns = said[r.process]
		case r.said:
			said[r.process] = r.owns
		}
	}
	return out
}

// measure finds how long some partition had no owner.
func (g *groupView) measure(q *stretch, reports []owning) {
	owns := map[int32][]history.Position{}
	for i, r := range reports {
		if r.at >= q.to {
			break
		}
		owns[r.process] = r.owns
		until := q.to
		if i+1 < len(reports) {
			until = min(until, reports[i+1].at)
		}
		if until <= q.from {
			continue
		}
		if p := g.unowned(owns); p != "" {
			q.after, q.open = time.Duration(until-q.from), p
		}
	}
}

// unowned names a partition that nobody owns, "" when there is none.
func (g *groupView) unowned(owns map[int32][]history.Position) string {
	owned := map[string]bool{}
	for _, positions := range owns {
		for _, p := range positions {
			owned[p.Partition] = true
		}
	}
	for _, p := range g.partitions {
		if !owned[p] {
			return p
		}
	}
	return ""
}

// settling are the figures of how fast a group settles.
type settling struct {
	stretches       int
	median, longest time.Duration
}

func settlingOf(g *groupView, within time.Duration) (s settling) {
	var after []time.Duration
	for _, q := range g.stretches(within) {
		after = append(after, q.after)
	}
	slices.Sort(after)
	if s.stretches = len(after); s.stretches > 0 {
		s.median, s.longest = after[len(after)/2], after[len(after)-1]
	}
	return s
}
