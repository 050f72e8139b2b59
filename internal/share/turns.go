package share

import "slices"

// Bounds of what turns know ahead.
const (
	// maxTurns bounds the records that are filed, and the gaps: beyond, nothing
	// new is read until some are done.
	maxTurns = 100_000
	// maxAhead bounds those of one group that are filed and free: what comes
	// behind is read again when they were given out, so that a group of a
	// million does not hide the others.
	maxAhead = 1000
	// lookThrough is how far the lowest free record is looked for.
	lookThrough = 1000
)

// turns know, of the records that may be given out, of which groups they are,
// and give them to takers group by group. A group is all records of a key; those
// without one are one, too. Nothing of it is stored: the log has it.
type turns struct {
	known  int64 // everything below was looked at
	groups map[uint64]*group
	of     map[int64]*group // by offset of a filed record that is not done
	// behind are groups with records that were passed over, for there were
	// enough of theirs.
	behind []*group
	gaps   []Range // below known, without records, in order
	quiet  ring
	loud   ring
	turn   *group // whose it was at the last peek
	streak int    // records of quiet groups since one of a loud one
	load
	nowMs   int64    // the latest time there was
	resting []*group // have nothing, and are kept for a while
}

// group is the records of a key.
type group struct {
	key    uint64
	free   []int64 // may be given out, in order; some may not be any more
	refs   int     // of its records that are filed
	behind int64   // its records from here on were passed over; below 0: none
	full   bool    // no more of them with this learn
	in     *ring   // where it waits for its turn
	load
	idle bool
}

func newTurns(start int64) *turns {
	return &turns{known: start, groups: map[uint64]*group{}, of: map[int64]*group{}}
}

// groupOf gives the group of a record, made when there is none.
func (t *turns) groupOf(r *Record) *group {
	key := uint64(0)
	if r.Keyed {
		key = r.Key
	}
	g := t.groups[key]
	if g == nil {
		g = &group{key: key, behind: -1}
		t.groups[key] = g
	}
	return g
}

// unread is from where on the log should be read: for a group of whose records
// none is left but those that were passed over, else where nobody looked yet.
func (t *turns) unread() (int64, bool) {
	from := int64(-1)
	for _, g := range t.behind {
		if len(g.free) == 0 && (from < 0 || g.behind < from) {
			from = g.behind
		}
	}
	if from >= 0 {
		return from, true
	}
	return t.known, len(t.of) < maxTurns && len(t.gaps) < maxTurns
}

// learn files what was read from an offset on.
func (t *turns) learn(p *Partition, from int64, batches []Batch) {
	at := max(from, p.start)
	begun := at
	for i := range batches {
		b := &batches[i]
		if b.Last < at {
			continue
		}
		t.gap(at, b.First-1)
		at = max(at, b.First)
		for k := range b.Records {
			if r := &b.Records[k]; !b.Skip && r.Offset >= at && r.Offset <= b.Last {
				t.gap(at, r.Offset-1)
				t.file(p, r, begun)
				at = r.Offset + 1
			}
		}
		t.gap(at, b.Last)
		at = b.Last + 1
	}
	t.reread(begun, at)
}

// reread notes that groups that were passed over were read again from begun up
// to an offset.
func (t *turns) reread(begun, at int64) {
	left := t.behind[:0]
	for _, g := range t.behind {
		switch {
		case g.full:
			g.full = false
		case g.behind < begun || g.behind >= at:
		case at < t.known:
			g.behind = at
		default:
			g.behind = -1
			t.rest(g)
			continue
		}
		left = append(left, g)
	}
	clear(t.behind[len(left):])
	t.behind = left
}

// gap notes offsets that have no records.
func (t *turns) gap(first, last int64) {
	if first = max(first, t.known); first > last {
		return
	}
	t.known = last + 1
	if k := len(t.gaps) - 1; k >= 0 && t.gaps[k].Last+1 == first {
		t.gaps[k].Last = last
		return
	}
	t.gaps = append(t.gaps, Range{First: first, Last: last})
}

// file files a record that is new, or of a group whose passed over records are
// read again from begun on.
func (t *turns) file(p *Partition, r *Record, begun int64) {
	fresh := r.Offset >= t.known
	t.known = max(t.known, r.Offset+1)
	state, free := p.stateAt(r.Offset, t.nowMs)
	if state.final() || state == Archiving || t.of[r.Offset] != nil {
		return
	}
	g := t.groupOf(r)
	again := !g.full && g.behind >= begun && g.behind <= r.Offset
	switch {
	case state == Acquired: // it will come back, or be done
	case g.behind >= 0 && !again, g.behind < 0 && !fresh:
		return
	case len(g.free) >= maxAhead:
		if g.behind < 0 {
			t.behind = append(t.behind, g)
		}
		g.behind, g.full = r.Offset, true
		return
	}
	t.of[r.Offset] = g
	g.refs++
	switch {
	case state == Acquired:
		t.count(g, 1)
	case free:
		t.offer(g, r.Offset)
	}
}

// stateAt is the state of a record, and whether it may be given out.
func (p *Partition) stateAt(offset, nowMs int64) (State, bool) {
	switch {
	case offset < p.start:
		return Archived, false
	case offset >= p.end:
		return Available, true
	}
	s := &p.spans[p.spans.index(offset)]
	return s.state, s.state == Available && s.atMs <= nowMs
}

// offer says that a record of a group may be given out.
func (t *turns) offer(g *group, offset int64) {
	if i, there := slices.BinarySearch(g.free, offset); !there {
		g.free = slices.Insert(g.free, i, offset)
	}
	if g.in == nil {
		t.queue(g)
	}
}

// queue has a group wait for its turn.
func (t *turns) queue(g *group) {
	g.in = &t.quiet
	if t.isLoud(g) {
		g.in = &t.loud
	}
	g.in.push(g)
}

// peek is the record whose turn it is.
func (t *turns) peek(p *Partition, nowMs int64) (int64, bool) {
	if len(p.spans) >= maxSpans { // what is known record by record must become less
		if at, ok := t.lowest(p, nowMs); ok {
			return at, true
		}
	}
	t.hush()
	for {
		r := &t.quiet
		if r.len() == 0 || t.loud.len() > 0 && t.streak >= quietFirst {
			r = &t.loud
		}
		g := r.front()
		if g == nil {
			return 0, false
		}
		at, ok := t.first(p, g, nowMs)
		switch {
		case !ok:
			r.pop()
			g.in = nil
			t.rest(g)
		case r == &t.quiet && t.isLoud(g):
			r.pop()
			t.queue(g)
		default:
			t.turn = g
			return at, true
		}
	}
}

// first is the first record of a group that may be given out.
func (t *turns) first(p *Partition, g *group, nowMs int64) (int64, bool) {
	for len(g.free) > 0 {
		at := g.free[0]
		if _, free := p.stateAt(at, nowMs); free && t.of[at] == g {
			return at, true
		}
		g.free = g.free[1:]
	}
	return 0, false
}

// lowest is the first of all that may be given out, if it is near the start.
func (t *turns) lowest(p *Partition, nowMs int64) (int64, bool) {
	looked := 0
	for i := range p.spans {
		s := &p.spans[i]
		if s.state != Available || s.atMs > nowMs {
			continue
		}
		for at := s.first; at <= s.last && looked < lookThrough; at++ {
			if looked++; t.of[at] != nil {
				return at, true
			}
		}
	}
	return 0, false
}

// took notes that somebody got the records of a span.
func (t *turns) took(s *span, nowMs int64) {
	t.nowMs = max(t.nowMs, nowMs)
	for at := s.first; at <= s.last && at < t.known; at++ {
		g := t.of[at]
		if g == nil {
			continue
		}
		t.count(g, 1)
		if len(g.free) > 0 && g.free[0] == at {
			g.free = g.free[1:]
		}
		if r := g.in; g == t.turn && r != nil && r.front() == g {
			r.pop()
			if g.in = nil; len(g.free) > 0 {
				t.queue(g)
			}
			if t.streak++; r == &t.loud || t.loud.len() == 0 {
				t.streak = 0
			}
		}
	}
	t.turn = nil
}

// note follows a span into a state that nobody owns, or waits in.
func (t *turns) note(s *span, state State, atMs int64) {
	for at := s.first; at <= s.last && at < t.known; at++ {
		g := t.of[at]
		if g == nil {
			continue
		}
		if s.state == Acquired {
			t.count(g, -1)
		}
		switch {
		case state != Available:
			delete(t.of, at)
			g.refs--
			t.rest(g)
		case atMs == 0:
			t.offer(g, at)
		}
	}
}

// ripe tells that a span's wait is over.
func (t *turns) ripe(s *span) {
	for at := s.first; at <= s.last && at < t.known; at++ {
		if g := t.of[at]; g != nil {
			t.offer(g, at)
		}
	}
}

// pass moves the start of a partition over a gap, if it stands before one.
func (t *turns) pass(p *Partition) bool {
	t.known = max(t.known, p.start)
	for len(t.gaps) > 0 && t.gaps[0].Last < p.start {
		t.gaps = t.gaps[1:]
	}
	if len(t.gaps) == 0 || t.gaps[0].First > p.start {
		return false
	}
	last := t.gaps[0].Last
	if len(p.spans) == 0 {
		p.end = last + 1
	} else {
		last = min(last, p.spans[0].last)
		if !p.spans[0].pristine() {
			return false
		}
		p.spans, _ = p.spans.cut(last + 1)
		p.drop(1)
	}
	p.start, p.moved = last+1, true
	p.end = max(p.end, p.start)
	return true
}
