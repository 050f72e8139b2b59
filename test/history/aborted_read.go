package history

// abortedRead is G1a: it forbids polling a value whose send surely failed, and
// at read_committed one whose transaction was aborted.
func abortedRead(v *view, r *Report) {
	v.polls(func(op *Op, m *Micro) {
		for _, rec := range m.Records {
			w := v.written(rec.Value())
			if w == nil || w.outcome != Fail || w.txn && !op.Committed {
				continue
			}
			r.add("aborted-read", "process %d polled %d at %s offset %d; its send (operation %d) failed",
				op.Process, rec.Value(), m.Partition, rec.Offset(), w.op)
		}
	})
}
