package share

// Partition is the state of one share-partition. It must be made by New or
// Load.
type Partition struct {
	s     Settings
	start int64 // SPSO: all below is done
	spans spans // cover start to end
	end   int64 // SPEO: all from here on was never touched

	owners  map[ownerID]*owner
	locked  int    // records that are Acquired
	dueMs   int64  // no lock and no wait ends before it; 0 when there is none
	trimmed int64  // the highest log start seen
	lanes   *lanes // with KeyOrdered
	turns   *turns // with Fair
	moved   bool   // start is to be stored
	dirtied bool   // some span is to be stored
}

// New makes a share-partition that begins at an offset and knows nothing yet.
func New(s Settings, start int64) *Partition {
	p := &Partition{s: s, start: start, end: start, owners: map[ownerID]*owner{}}
	switch {
	case s.KeyOrdered:
		p.lanes = newLanes(start)
	case s.Fair:
		p.turns = newTurns(start)
	}
	return p
}

// Configure takes changed settings; locks that are held stay as they are.
// Key order and fairness cannot change: that takes another Partition.
func (p *Partition) Configure(s Settings) {
	s.KeyOrdered, s.Fair = p.s.KeyOrdered, p.s.Fair
	p.s = s
}

// Settings are those in force.
func (p *Partition) Settings() Settings { return p.s }

// Start and End are the share-partition's start and end offset.
func (p *Partition) Start() int64 { return p.start }

// End is the share-partition's end offset.
func (p *Partition) End() int64 { return p.end }

// Next is the offset from which a member should be given records, false when
// there are none to give: the window is full, or what is left waits. Whether
// the log has records there, the log must tell.
func (p *Partition) Next(nowMs int64) (int64, bool) {
	if p.locked >= p.s.MaxLocked {
		return 0, false
	}
	if p.lanes != nil {
		return p.lanes.next(p, nowMs)
	}
	for i := range p.spans {
		if s := &p.spans[i]; s.state == Available && s.atMs <= nowMs {
			return s.first, true
		}
	}
	return p.end, len(p.spans) < maxSpans
}

// mark gives the spans from index i to j a state that nobody owns, at atMs.
func (p *Partition) mark(i, j int, state State, atMs int64) {
	for ; i < j; i++ {
		s := &p.spans[i]
		if s.state == state && s.atMs == atMs {
			continue
		}
		p.disown(s)
		switch {
		case p.lanes != nil:
			p.lanes.note(s, state)
		case p.turns != nil:
			p.turns.note(s, state, atMs)
		}
		s.state, s.atMs, s.dirty = state, atMs, true
		p.dirtied = true
		if state != Available {
			s.lock = 0
		}
		if state == Available && atMs != 0 {
			p.due(atMs)
		}
	}
}

// own locks a span for its owner.
func (p *Partition) own(s *span, o *owner, untilMs int64) {
	n := int(s.len())
	p.locked += n
	o.locked += n
	s.state, s.owner = Acquired, o
	s.count++
	p.hold(s, untilMs)
}

// disown takes a span from its owner, if it has one.
func (p *Partition) disown(s *span) {
	o := s.owner
	if o == nil {
		return
	}
	n := int(s.len())
	p.locked -= n
	o.locked -= n
	s.owner = nil
	if o.locked == 0 {
		delete(p.owners, o.ownerID)
	}
}

// ownerOf gives an owner's entry, made when it has none.
func (p *Partition) ownerOf(id ownerID) *owner {
	o := p.owners[id]
	if o == nil {
		o = &owner{ownerID: id}
		p.owners[id] = o
	}
	return o
}

// due notes that something ends at a time.
func (p *Partition) due(atMs int64) {
	if p.dueMs == 0 || atMs < p.dueMs {
		p.dueMs = atMs
	}
}

// settle moves the start over what is done, and the end back over what was
// never touched.
func (p *Partition) settle() {
	p.pass()
	for p.turns != nil && p.turns.pass(p) {
		p.pass()
	}
	if p.lanes != nil {
		p.lanes.known = max(p.lanes.known, p.start)
		return // what was filed stays known
	}
	for k := len(p.spans); k > 0 && p.spans[k-1].pristine(); k-- {
		p.end = p.spans[k-1].first
		p.spans = p.spans[:k-1]
	}
}

// pass moves the start over what is done.
func (p *Partition) pass() {
	n := 0
	for n < len(p.spans) && p.spans[n].state.final() {
		n++
	}
	if n > 0 {
		p.start = p.spans[n-1].last + 1
		p.moved = true
		p.drop(n)
	}
}

// drop forgets the first n spans.
func (p *Partition) drop(n int) {
	left := copy(p.spans, p.spans[n:])
	clear(p.spans[left:])
	p.spans = p.spans[:left]
	if left == 0 && cap(p.spans) > keptSpans {
		p.spans = nil
	}
}

// keptSpans is how many places an empty list keeps for what comes next.
const keptSpans = 256

// Trim takes over that the log begins at an offset: what lies below is gone,
// and nobody needs to acknowledge it. It tells whether anything changed.
func (p *Partition) Trim(logStart int64) bool {
	p.trimmed = max(p.trimmed, logStart)
	if logStart <= p.start {
		return false
	}
	if logStart > p.end {
		p.end = logStart
	}
	var n int
	p.spans, n = p.spans.cut(logStart)
	p.mark(0, n, Archived, 0)
	p.drop(n)
	p.start, p.moved = logStart, true
	p.settle()
	return true
}
