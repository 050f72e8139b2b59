package share

// Stats tell where a share-partition stands.
type Stats struct {
	Start, End int64
	Locked     int64 // records that are out
	Leased     int64 // those of them that are held by receipts
	// Waiting are records that were given out before and are free again, or
	// wait for their time.
	Waiting int64
	// Delayed are those of them whose time has not come.
	Delayed int64
	// Dying wait for their dead letters.
	Dying int64
	// Parked are keys that cannot go on because their first record waits for
	// another try (key order alone).
	Parked  int
	Members int // who hold records, those with receipts not among them
}

// Stats counts.
func (p *Partition) Stats() Stats {
	st := Stats{Start: p.start, End: p.end, Locked: int64(p.locked), Members: len(p.owners)}
	for i := range p.spans {
		s := &p.spans[i]
		switch {
		case s.leased():
			st.Leased += s.len()
		case s.state == Archiving:
			st.Dying += s.len()
		case s.state == Available && s.count > 0:
			st.Waiting += s.len()
			if s.atMs != 0 {
				st.Delayed += s.len()
			}
		}
	}
	if st.Leased > 0 {
		st.Members--
	}
	st.Parked = len(p.ParkedAt(maxFiled))
	return st
}

// ParkedAt lists the offsets of records for which their whole key waits, in
// order, at most most.
func (p *Partition) ParkedAt(most int) []int64 {
	var out []int64
	if p.lanes == nil {
		return nil
	}
	for i := range p.spans {
		s := &p.spans[i]
		if s.state != Available || s.count == 0 {
			continue
		}
		for at := s.first; at <= s.last && at < p.lanes.known && len(out) < most; at++ {
			if k := p.lanes.of[at]; k != nil && k.waiting[0] == at {
				out = append(out, at)
			}
		}
		if s.lock != 0 && s.last >= p.lanes.known && len(out) < most {
			out = append(out, max(s.first, p.lanes.known)) // stored by an earlier leader
		}
	}
	return out
}
