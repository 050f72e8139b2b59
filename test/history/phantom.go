package history

// phantom forbids a polled value that nobody sent.
func phantom(v *view, r *Report) {
	v.polls(func(op *Op, m *Micro) {
		for _, rec := range m.Records {
			w := v.written(rec.Value())
			switch {
			case w == nil:
				r.add("phantom", "process %d polled %d at %s offset %d; nobody sent it", op.Process, rec.Value(), m.Partition, rec.Offset())
			case w.partition.name != m.Partition:
				r.add("phantom", "process %d polled %d in %s; it was sent to %s", op.Process, rec.Value(), m.Partition, w.partition.name)
			}
		}
	})
}
