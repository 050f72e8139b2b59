package share

// Takers who answer by receipts are given records one by one where their keys
// matter (KeyOrdered, Fair): Begin, then Peek and Grant for each, with Learn
// where the log is to be read first. What is given need not be in the order of
// the log.

// ByKey tells whether takers are given records so; else Acquire gives them.
func (p *Partition) ByKey() bool { return p.lanes != nil || p.turns != nil }

// Begin begins a take: with key order the records of one key that it gets are
// those that follow each other, and nobody else gets one of the key before all
// of them are done or back.
func (p *Partition) Begin() {
	if p.lanes != nil {
		p.lanes.take++
		p.lanes.last = nil
	}
}

// Peek is the record that the take should get next; false when there is none
// among those that are known, or the window is full.
func (p *Partition) Peek(nowMs int64) (int64, bool) {
	if p.locked >= p.s.MaxLocked || len(p.spans) >= 2*maxSpans {
		return 0, false
	}
	p.tick(nowMs)
	if p.turns != nil {
		return p.turns.peek(p, nowMs)
	}
	if at, ok := p.lanes.follow(p, nowMs); ok {
		return at, true
	}
	return p.lanes.peek(p, nowMs)
}

// Grant gives the take what Peek told, and tells which delivery of the record
// it is. Nobody may see it before that is stored.
func (p *Partition) Grant(w *Want, offset int64) int16 {
	p.reach(offset)
	var i int
	p.spans, i, _ = p.spans.part(offset, offset)
	s := &p.spans[i]
	p.own(s, p.ownerOf(ownerID{holder: w.Holder}), w.NowMs+p.leaseMs(w.LockMs))
	p.took(s, w.NowMs, false)
	n := s.count
	p.spans = p.spans.join(i, i+1)
	return n
}

// took tells lanes or turns that somebody got a span: alone, or as the next of its
// take.
func (p *Partition) took(s *span, nowMs int64, alone bool) {
	switch {
	case p.lanes != nil:
		p.lanes.took(s, alone)
	case p.turns != nil:
		p.turns.took(s, nowMs)
	}
}

// Unread tells from where on the log should be read for Learn: false when
// nothing there would help. Fair wants to know all that waits, as far as there
// is room; key order no more than is given.
func (p *Partition) Unread(nowMs int64) (int64, bool) {
	p.tick(nowMs)
	if p.turns != nil {
		return p.turns.unread()
	}
	_, enough := p.Peek(nowMs)
	return p.lanes.known, !enough && p.locked < p.s.MaxLocked && p.lanes.room(p)
}

// Learn files the keys of batches that were read from an offset on that Unread
// told; they are in order. What lies between them has no records and never will.
func (p *Partition) Learn(from int64, batches []Batch) {
	if p.turns != nil {
		p.turns.learn(p, from, batches)
		p.settle()
		return
	}
	g := giving{p: p, w: &Want{}}
	at := max(from, p.start)
	for i := range batches {
		b := &batches[i]
		if b.Last < at {
			continue
		}
		if b.First > at {
			p.bury(at, b.First-1)
			at = b.First
		}
		if b.Skip {
			p.bury(at, b.Last)
		} else {
			g.file(b, at)
		}
		p.lanes.known = max(p.lanes.known, b.Last+1)
		at = b.Last + 1
	}
	p.settle()
}

// tick takes over what time it is, where it counts how long records are out.
func (p *Partition) tick(nowMs int64) {
	if p.turns != nil {
		p.turns.nowMs = max(p.turns.nowMs, nowMs)
	}
}
