package history

// tornTxn forbids that part of a transaction is read at read_committed and part
// is not: where one of its values was seen, the others must have been seen too,
// once their offsets were read past or all was read at the end. What an aborted
// transaction shows is aborted-read.
func tornTxn(v *view, r *Report) {
	for from := 0; from < len(v.writes); {
		to := from + 1
		for to < len(v.writes) && v.writes[to].op == v.writes[from].op {
			to++
		}
		tornIn(v, r, v.writes[from:to])
		from = to
	}
}

// tornIn judges the writes of one operation.
func tornIn(v *view, r *Report, writes []write) {
	if !writes[0].txn || writes[0].outcome == Fail {
		return
	}
	var shown *write
	for i := range writes {
		if writes[i].seenCommitted {
			shown = &writes[i]
		}
	}
	if shown == nil {
		return
	}
	for _, w := range writes {
		past := w.offset >= 0 && w.offset <= w.partition.highest
		if !w.seenCommitted && (v.final || past) {
			r.add("torn-txn", "of the transaction of operation %d, %d in %s was read and %d in %s was not",
				w.op, shown.value, shown.partition.name, w.value, w.partition.name)
		}
	}
}
