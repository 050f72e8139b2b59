package history

// precommittedRead forbids a transaction to read at read_committed what it has
// itself written and not committed yet.
func precommittedRead(v *view, r *Report) {
	for _, i := range v.order {
		op := &v.ops[i]
		if op.Kind != Txn || !op.Committed {
			continue
		}
		for _, m := range op.Micro {
			if m.Kind != Poll {
				continue
			}
			for _, rec := range m.Records {
				if w := v.written(rec.Value()); w != nil && w.op == i {
					r.add("precommitted-read", "the transaction of operation %d polled its own %d at %s offset %d",
						i, rec.Value(), m.Partition, rec.Offset())
				}
			}
		}
	}
}
