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
	st := Stats{Start: p.start, End: p.end, Locked: int64(p.locked)}
	for id := range p.owners {
		if id.member != "" {
			st.Members++
		}
	}
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

// Census is what a share-partition has between Start and End that is not done.
type Census struct {
	First, End int64 // First is the lowest offset that is not done, End when there is none
	Locked     int64 // records that are out
	Back       int64 // those that came back and are free
	Delayed    int64 // those that wait for their time
	Dying      int64 // those that wait for their dead letters
	// Untouched are ranges that were never given out: what records there are in
	// them, and which of these members see, the log must tell.
	Untouched []Range
}

// Unjudged is the lowest offset that was never given out: of those from there on
// it may have to be told whether they are repeats.
func (p *Partition) Unjudged() int64 {
	for i := range p.spans {
		if s := &p.spans[i]; s.state == Available && s.count == 0 {
			return s.first
		}
	}
	return p.end
}

// Census counts.
func (p *Partition) Census() Census {
	c := Census{First: p.end, End: p.end, Locked: int64(p.locked)}
	for i := range p.spans {
		s := &p.spans[i]
		if s.state.final() {
			continue
		}
		c.First = min(c.First, s.first)
		switch {
		case s.state == Archiving:
			c.Dying += s.len()
		case s.state != Available:
		case s.atMs != 0:
			c.Delayed += s.len()
		case s.count > 0:
			c.Back += s.len()
		default:
			c.Untouched = append(c.Untouched, Range{First: s.first, Last: s.last})
		}
	}
	return c
}
