package history

// nonmonotonicSend forbids that sends of one process to one partition, in the
// order in which they were made, are acknowledged at falling offsets. Inside one
// transaction it has a name of its own.
func nonmonotonicSend(v *view, r *Report) {
	type last struct {
		offset int64
		op     int32
	}
	at := make(map[spot]last)
	for _, w := range v.writes {
		if w.offset < 0 || w.outcome == Fail {
			continue
		}
		s := spot{v.ops[w.op].Process, w.partition.name}
		if l, ok := at[s]; ok && w.offset <= l.offset {
			rule := "nonmonotonic-send"
			if l.op == w.op {
				rule = "internal-nonmonotonic-send"
			}
			r.add(rule, "process %d sent %d to %s, acknowledged at offset %d after %d", s.process, w.value, s.partition, w.offset, l.offset)
		}
		at[s] = last{w.offset, w.op}
	}
}
