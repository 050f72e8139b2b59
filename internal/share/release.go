package share

// free takes a locked span from its owner, for another try after a wait; when
// it was tried often enough it is given up.
func (p *Partition) free(nowMs int64, i int, waitMs int64) {
	s := &p.spans[i]
	if s.count >= p.s.Attempts {
		p.mark(i, i+1, p.dead(), 0)
		return
	}
	at := int64(0)
	if waitMs > 0 {
		at = nowMs + waitMs
	}
	p.mark(i, i+1, Available, at)
}

// Expire ends the locks and the waits that are over and tells whether there
// were any.
func (p *Partition) Expire(nowMs int64) bool {
	if p.dueMs == 0 || nowMs < p.dueMs {
		return false
	}
	changed := false
	p.tick(nowMs)
	p.dueMs = 0
	for i := range p.spans {
		s := &p.spans[i]
		if s.atMs != 0 && s.atMs <= nowMs {
			changed = true
			if s.state == Acquired {
				p.free(nowMs, i, p.s.retryMs(s.count))
			} else {
				s.atMs = 0
				p.ripe(s)
			}
		}
		if s.atMs != 0 {
			p.due(s.atMs)
		}
	}
	if changed {
		p.spans = p.spans.join(0, len(p.spans))
		p.settle()
	}
	return changed
}

// ripe tells lanes or turns that a span's wait is over.
func (p *Partition) ripe(s *span) {
	if p.lanes != nil {
		for at := s.first; at <= s.last && at < p.lanes.known; at++ {
			p.lanes.offer(at)
		}
	}
	if p.turns != nil {
		p.turns.ripe(s)
	}
}

// DueMs is when Expire is to be called next; 0 for never.
func (p *Partition) DueMs() int64 { return p.dueMs }

// Leave gives back everything that a member holds, and tells whether that was
// anything. Its deliveries count: the member may have gone for one of them.
func (p *Partition) Leave(nowMs int64, member string) bool {
	o := p.owners[ownerID{member: member}]
	if o == nil || member == "" {
		return false
	}
	p.tick(nowMs)
	for i := range p.spans {
		if s := &p.spans[i]; s.owner == o {
			p.free(nowMs, i, p.s.retryMs(s.count))
		}
	}
	p.spans = p.spans.join(0, len(p.spans))
	p.settle()
	return true
}

// Holds tells how many records a member holds.
func (p *Partition) Holds(member string) int {
	if o := p.owners[ownerID{member: member}]; o != nil && member != "" {
		return o.locked
	}
	return 0
}
