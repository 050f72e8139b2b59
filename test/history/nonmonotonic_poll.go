package history

// spot is a reader in a partition.
type spot struct {
	process   int32
	partition string
}

// readers walks the history and tells, for each record that was polled, where
// its reader stood: next is the offset that it had to get at least, -1 where
// that is not known (nothing read since the assignment). inside is set when the
// record before it came in the same operation.
func (v *view) readers(f func(op *Op, m *Micro, rec Record, next int64, inside bool)) {
	next := make(map[spot]int64)
	mine := make(map[int32][]string) // what a process has read, to be forgotten
	for _, i := range v.ended {      // a poll may begin before a rebalance and bring what came after it
		op := &v.ops[i]
		switch op.Kind {
		case Assign, Subscribe, Crash:
			for _, name := range mine[op.Process] {
				delete(next, spot{op.Process, name})
			}
			mine[op.Process] = mine[op.Process][:0]
			if op.Kind == Assign && op.Outcome == OK {
				for _, p := range op.Positions {
					next[spot{op.Process, p.Partition}] = p.Offset
					mine[op.Process] = append(mine[op.Process], p.Partition)
				}
			}
			continue
		}
		before := make(map[string]bool, len(op.Micro))
		for j := range op.Micro {
			m := &op.Micro[j]
			if m.Kind != Poll {
				continue
			}
			at := spot{op.Process, m.Partition}
			for _, rec := range m.Records {
				want, known := next[at]
				if !known {
					want = -1
					mine[op.Process] = append(mine[op.Process], m.Partition)
				}
				f(op, m, rec, want, before[m.Partition])
				next[at], before[m.Partition] = rec.Offset()+1, true
			}
		}
	}
}

// nonmonotonicPoll forbids that a reader goes back: with assign ever, in a group
// within one generation. Inside one operation it has a name of its own.
func nonmonotonicPoll(v *view, r *Report) {
	v.readers(func(op *Op, m *Micro, rec Record, next int64, inside bool) {
		if next < 0 || rec.Offset() >= next {
			return
		}
		rule := "nonmonotonic-poll"
		if inside {
			rule = "internal-nonmonotonic-poll"
		}
		r.add(rule, "process %d polled %s offset %d after it had read up to %d", op.Process, m.Partition, rec.Offset(), next-1)
	})
}
