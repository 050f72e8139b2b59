package history

import (
	"cmp"
	"slices"
)

// groupOwners forbids two members that own one partition in one generation of a
// group.
func groupOwners(v *view, r *Report) {
	type claim struct {
		group, partition string
		generation       int32
	}
	owner := make(map[claim]*Op)
	for _, i := range v.order {
		op := &v.ops[i]
		if op.Kind != Subscribe || op.Outcome != OK {
			continue
		}
		for _, p := range op.Positions {
			c := claim{op.Group, p.Partition, op.Generation}
			first := owner[c]
			if first == nil {
				owner[c] = op
				continue
			}
			if first.Member != op.Member {
				r.add("two-owners", "group %s, generation %d: %s is owned by %s (process %d) and by %s (process %d)",
					op.Group, op.Generation, p.Partition, first.Member, first.Process, op.Member, op.Process)
			}
		}
	}
}

// start is where a member began to read a partition that was given to it.
type start struct {
	given  *Op // the Subscribe
	poll   *Op // the first poll that brought something
	offset int64
}

// starts collects them a register, in the order of the polls.
func (v *view) starts() map[register][]start {
	out := make(map[register][]start)
	owned := make(map[int32]*Op) // by process
	fresh := make(map[spot]*Op)  // given, nothing read yet
	for _, i := range v.ended {
		op := &v.ops[i]
		switch op.Kind {
		case Crash:
			delete(owned, op.Process)
		case Subscribe:
			before := owned[op.Process]
			owned[op.Process] = op
			for _, p := range op.Positions {
				if before == nil || !holds(before.Positions, p.Partition) {
					fresh[spot{op.Process, p.Partition}] = op
				}
			}
		case Poll:
			for _, m := range op.Micro {
				at := spot{op.Process, m.Partition}
				if given := fresh[at]; given != nil && len(m.Records) > 0 {
					k := register{given.Group, m.Partition}
					out[k] = append(out[k], start{given, op, m.Records[0].Offset()})
					delete(fresh, at)
				}
			}
		}
	}
	return out
}

func holds(p []Position, partition string) bool {
	return slices.ContainsFunc(p, func(p Position) bool { return p.Partition == partition })
}

// groupResume forbids that a member which was given a partition begins below
// what was committed for it, or beyond what anybody committed with records in
// between. Members are taken to begin at the start where nothing is committed.
func groupResume(v *view, r *Report) {
	all, _ := v.changes()
	starts := v.starts()
	keys := make([]register, 0, len(starts))
	for k := range starts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b register) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.partition, b.partition))
	})
	for _, k := range keys {
		p, s := v.parts[k.partition], starts[k]
		slices.SortFunc(s, func(a, b start) int { return cmp.Compare(a.given.Start, b.given.Start) })
		bound := newBounds(all[k])
		for _, s := range s {
			if floor := bound.floorBefore(s.given.Start); s.offset < floor {
				r.add("resume-below-commit", "group %s: process %d was given %s and began at %d; %d had been committed",
					k.group, s.poll.Process, k.partition, s.offset, floor)
			}
		}
		slices.SortFunc(s, func(a, b start) int { return cmp.Compare(a.poll.End, b.poll.End) })
		for _, s := range s {
			ceiling := max(bound.ceilingBefore(s.poll.End), 0)
			if missed, ok := p.between(ceiling, s.offset, true); ok {
				r.add("resume-skip", "group %s: process %d was given %s and began at %d; nobody had committed more than %d, and the record at %d was missed",
					k.group, s.poll.Process, k.partition, s.offset, ceiling, missed)
			}
		}
	}
}
