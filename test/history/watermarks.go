package history

// watermarks forbids marks that contradict each other or the records they came
// with: log start <= last stable offset <= high watermark <= log end; for one
// reader the high watermark never falls; no record at or above the high
// watermark, none at or above the last stable offset for a reader at
// read_committed. Where marks are not exact, what contradicts within one fetch
// is counted only; ListOffsets, asked for one mark after the other, never may.
func watermarks(v *view, r *Report) {
	high := make(map[spot]int64)
	v.polls(func(op *Op, m *Micro) {
		k := m.Marks
		if k == nil {
			return
		}
		ordered(r, op, m, v.opts.ExactMarks || op.Kind == Ends)
		at := spot{op.Process, m.Partition}
		if k.High >= 0 {
			if before, ok := high[at]; ok && k.High < before {
				fell(v, r, op, m, before)
			}
			high[at] = k.High
		}
		limit, name := k.High, "high watermark"
		if op.Committed && k.LastStable >= 0 {
			limit, name = k.LastStable, "last stable offset"
		}
		for _, rec := range m.Records {
			if limit < 0 || rec.Offset() < limit {
				continue
			}
			if !v.opts.ExactMarks {
				r.Noted["read-above-mark"]++
			} else {
				r.add("read-above-mark", "process %d polled %s offset %d with the %s at %d", op.Process, m.Partition, rec.Offset(), name, limit)
			}
		}
	})
}

// fell tells of a high watermark below one that the same reader saw before. Of
// several nodes a new leader knows only what its last fetch told it, until its
// followers have fetched from it (KIP-207): a reader that is behind sees that,
// so there it is counted only. What was read stays there in any case, which other
// rules see to.
func fell(v *view, r *Report, op *Op, m *Micro, before int64) {
	if !v.opts.ExactMarks && op.Kind != Ends {
		r.Noted["high-watermark-fell"]++
		return
	}
	r.add("high-watermark-fell", "process %d saw the high watermark of %s at %d and then at %d", op.Process, m.Partition, before, m.Marks.High)
}

// ordered checks the marks of one poll against each other.
func ordered(r *Report, op *Op, m *Micro, exact bool) {
	last, of := int64(-1), ""
	for _, mark := range []struct {
		name   string
		offset int64
	}{
		{"log start offset", m.Marks.LogStart}, {"last stable offset", m.Marks.LastStable},
		{"high watermark", m.Marks.High}, {"log end offset", m.Marks.LogEnd},
	} {
		if mark.offset < 0 {
			continue
		}
		switch {
		case mark.offset < last && !exact:
			r.Noted["marks-order"]++
		case mark.offset < last:
			r.add("marks-order", "process %d saw in %s the %s at %d above the %s at %d", op.Process, m.Partition, of, last, mark.name, mark.offset)
		}
		last, of = mark.offset, mark.name
	}
}
