package share

// Undone are neighbouring records that are not done and stand alike.
type Undone struct {
	Range // Count is of the deliveries so far
	State State
	// AtMs is when the lock of an Acquired record ends, or before when one that
	// is Available is not given out; 0 for none.
	AtMs int64
	// Member holds what is Acquired, "" where it is held by receipts: by those of
	// Holder, or 0.
	Member string
	Holder uint64
	// Behind is the offset of the earlier record of their key that holds them
	// up; -1 for none. It is known of records whose keys were read.
	Behind int64
}

// Undone lists what is not done between an offset and End, in order, in at most
// so many runs.
func (p *Partition) Undone(from int64, most int) []Undone {
	from = max(from, p.start)
	var out []Undone
	for i := p.spans.index(from); i < len(p.spans) && len(out) < most; i++ {
		s := &p.spans[i]
		if s.state.final() {
			continue
		}
		u := Undone{Range: Range{max(s.first, from), s.last, s.count}, State: s.state, AtMs: s.atMs, Behind: -1}
		if s.owner != nil {
			u.Member, u.Holder = s.owner.member, s.owner.holder
		}
		if p.lanes == nil || s.state != Available {
			out = append(out, u)
			continue
		}
		out = p.lanes.cut(u, most, out)
	}
	return out
}

// cut adds a run to out in parts that are held up by the same record.
func (l *lanes) cut(u Undone, most int, out []Undone) []Undone {
	for at := u.First; at <= u.Last && len(out) < most; {
		part := u
		part.First, part.Last, part.Behind = at, u.Last, -1
		if at < l.known {
			part.Behind, part.Last = l.behind(at), at
			for next := at + 1; next <= u.Last && next < l.known && l.behind(next) == part.Behind; next++ {
				part.Last = next
			}
		}
		out = append(out, part)
		at = part.Last + 1
	}
	return out
}

// behind is the first of a filed record's key, -1 when that is itself, or has no
// key.
func (l *lanes) behind(offset int64) int64 {
	if k := l.of[offset]; k != nil && k.waiting[0] != offset {
		return k.waiting[0]
	}
	return -1
}

// Hold leases the one record at an offset, if it is free, whatever lies before it
// and in whatever order keys are. The caller knows that members see a record
// there. It gives false when the record is not free, or there is no room. Of w
// NowMs, LockMs and Holder count.
func (p *Partition) Hold(w *Want, offset int64) (Range, bool) {
	nowMs := w.NowMs
	if offset < p.start || p.locked >= p.s.MaxLocked || len(p.spans) >= maxSpans {
		return Range{}, false
	}
	p.reach(offset)
	i := p.spans.index(offset)
	if s := &p.spans[i]; s.state != Available || s.atMs > nowMs {
		p.settle()
		return Range{}, false
	}
	var j int
	p.spans, i, j = p.spans.part(offset, offset)
	p.own(&p.spans[i], p.ownerOf(ownerID{holder: w.Holder}), nowMs+p.leaseMs(w.LockMs))
	p.took(&p.spans[i], nowMs, true)
	out := Range{offset, offset, p.spans[i].count}
	p.spans = p.spans.join(i, j)
	p.settle()
	return out, true
}

// Scattered tells that so much is known record by record that nothing more can be
// picked out: see Hold.
func (p *Partition) Scattered() bool { return len(p.spans) >= maxSpans }
