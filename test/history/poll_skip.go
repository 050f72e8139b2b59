package history

// pollSkip forbids that a reader jumps over a record that somebody knows to be
// there and that its isolation level shows. Inside one operation it has a name
// of its own.
func pollSkip(v *view, r *Report) {
	v.readers(func(op *Op, m *Micro, rec Record, next int64, inside bool) {
		if next < 0 || rec.Offset() <= next {
			return
		}
		missed, ok := v.parts[m.Partition].between(next, rec.Offset(), op.Committed)
		if !ok {
			return
		}
		rule := "poll-skip"
		if inside {
			rule = "internal-poll-skip"
		}
		r.add(rule, "process %d polled %s offset %d where %d was next, and missed the record at %d",
			op.Process, m.Partition, rec.Offset(), next, missed)
	})
}
