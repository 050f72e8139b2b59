package history

import (
	"cmp"
	"slices"
)

// register is a group's committed offset of one partition.
type register struct{ group, partition string }

// change is what one operation said of a register.
type change struct {
	op     *Op
	offset int64
	index  int32
}

// changes collects them, by Start.
func (v *view) changes() (map[register][]change, []register) {
	all := make(map[register][]change)
	for _, i := range v.order {
		op := &v.ops[i]
		if op.Kind != Commit && op.Kind != Committed && op.Kind != Reset || op.Outcome == Fail {
			continue
		}
		for _, p := range op.Positions {
			k := register{op.Group, p.Partition}
			all[k] = append(all[k], change{op, p.Offset, i})
		}
	}
	keys := make([]register, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b register) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.partition, b.partition))
	})
	return all, keys
}

// bounds are what a register may hold, as it moves through time: at least floor
// (somebody was told so), at most ceiling (nobody tried more). Times may only
// rise.
type bounds struct {
	byStart, byEnd []change
	started, ended int
	floor, ceiling int64
	resetAt        int64 // End of the last reset that is counted
}

func newBounds(c []change) *bounds {
	b := &bounds{byStart: c, byEnd: slices.Clone(c), floor: -1, ceiling: -1}
	slices.SortFunc(b.byEnd, func(x, y change) int { return cmp.Compare(x.op.End, y.op.End) })
	return b
}

// floorBefore moves to all that had ended when something started.
func (b *bounds) floorBefore(start int64) int64 {
	for ; b.ended < len(b.byEnd) && b.byEnd[b.ended].op.End < start; b.ended++ {
		c := b.byEnd[b.ended]
		switch {
		case c.op.Kind == Reset: // what overlaps it may come before or after
			b.floor, b.resetAt = -1, c.op.End
			if c.op.Outcome == OK {
				b.floor = c.offset
			}
		case c.op.Outcome == OK && c.op.Start > b.resetAt:
			b.floor = max(b.floor, c.offset)
		}
	}
	return b.floor
}

// ceilingBefore moves to all that had started when something ended.
func (b *bounds) ceilingBefore(end int64) int64 {
	for ; b.started < len(b.byStart) && b.byStart[b.started].op.Start < end; b.started++ {
		if c := b.byStart[b.started]; c.op.Kind != Committed {
			b.ceiling = max(b.ceiling, c.offset)
		}
	}
	return b.ceiling
}

// committedOffsets forbids that a committed offset falls, but by a reset: no
// commit and no read below what was acknowledged or read before it began, and
// no read of what nobody committed. What runs beside a reset is not judged.
func committedOffsets(v *view, r *Report) {
	all, keys := v.changes()
	for _, k := range keys {
		resets := slices.DeleteFunc(slices.Clone(all[k]), func(c change) bool { return c.op.Kind != Reset })
		down, up := newBounds(all[k]), newBounds(all[k])
		for _, c := range all[k] {
			floor := down.floorBefore(c.op.Start)
			if c.op.Outcome == OK && c.op.Kind != Reset && c.offset < floor && !besideReset(resets, c) {
				r.add("committed-offset-fell", "group %s, %s: operation %d (%s) has %d after %d was there", k.group, k.partition, c.index, c.op.Kind, c.offset, floor)
			}
		}
		for _, c := range up.byEnd {
			ceiling := up.ceilingBefore(c.op.End)
			if c.op.Outcome == OK && c.op.Kind == Committed && c.offset > ceiling {
				r.add("committed-offset-from-nowhere", "group %s, %s: operation %d read %d, and nobody had committed more than %d", k.group, k.partition, c.index, c.offset, ceiling)
			}
		}
	}
}

// besideReset tells whether one of the resets was, or may still have been, under
// way during c, so that its order is not known.
func besideReset(resets []change, c change) bool {
	return slices.ContainsFunc(resets, func(o change) bool {
		return o.op.Start < c.op.End && (o.op.End > c.op.Start || o.op.Outcome == Info)
	})
}
