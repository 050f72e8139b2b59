package share

import "slices"

// Stored is the state of a range of records as it is stored: Available with
// the deliveries so far, Acknowledged, Archiving or Archived. Acquired is not
// stored: the locks of members are gone after a restart, and what is leased is
// Available with the time until which it is not.
type Stored struct {
	First, Last int64
	State       State
	Count       int16
	// NotBeforeMs is when an Available record may be given out, by the clock of
	// the caller; 0 for at once.
	NotBeforeMs int64
	// UntilMs is when the lease of an Available record ends, by the same clock;
	// 0 without one. The deliveries count the one at hand.
	UntilMs int64
	// KeyLock is the hash of the key whose later records wait for this one; 0
	// for none. Records that are leased or wait have it, with key order.
	KeyLock uint64
	// Holder has the receipt of what is leased; 0 for nobody in particular.
	Holder uint64
}

// Goes tells whether o goes on where s ends, in the same state.
func (s *Stored) Goes(o *Stored) bool {
	next := *o
	next.First, next.Last = s.First, s.Last
	return s.Last+1 == o.First && *s == next
}

// Write is what is to be stored: the start, and what changed above it.
type Write struct {
	Start int64
	// Done counts the offsets from Start on that are done (KIP-1226).
	Done    int32
	Changed []Stored
}

// Changes takes what changed since the last call; false when nothing did. When it
// is stored, Stored must follow, before the next Changes.
func (p *Partition) Changes() (Write, bool) {
	if !p.HasChanges() {
		return Write{}, false
	}
	w := Write{Start: p.start}
	for i := range p.spans {
		s := &p.spans[i]
		if s.state.final() {
			w.Done += int32(min(s.len(), 1<<31-1-int64(w.Done)))
		}
		if !s.dirty {
			continue
		}
		s.dirty = false
		w.Changed = p.appendStored(w.Changed, s)
	}
	moved := p.moved
	p.moved, p.dirtied = false, false
	if p.lanes != nil {
		p.lanes.fly()
	}
	if len(w.Changed) == 0 && !moved {
		p.Stored()
		return Write{}, false
	}
	p.spans = p.spans.join(0, len(p.spans))
	return w, true
}

// Stored tells that what Changes gave last is stored. With key order the next
// records of keys may be given from then on: what was done of them does not come
// back any more. It tells whether there are such keys.
func (p *Partition) Stored() bool { return p.lanes != nil && p.lanes.stored() }

// HasChanges tells whether Changes may have anything to give.
func (p *Partition) HasChanges() bool { return p.moved || p.dirtied }

func (p *Partition) appendStored(out []Stored, s *span) []Stored {
	row := Stored{First: s.first, Last: s.last, State: s.state, Count: s.count}
	switch s.state {
	case Acquired:
		row.State = Available
		if s.leased() {
			row.UntilMs, row.Holder = s.atMs, s.owner.holder
		}
	case Available:
		row.NotBeforeMs = s.atMs
	}
	if p.lanes == nil || row.UntilMs == 0 && row.NotBeforeMs == 0 {
		return appendRow(out, row)
	}
	for at := s.first; at <= s.last && at < p.lanes.known; at++ {
		one := row
		one.First, one.Last, one.KeyLock = at, at, p.lanes.lock(at, s.leased())
		out = appendRow(out, one)
	}
	if row.First, row.KeyLock = max(row.First, p.lanes.known), s.lock; row.First <= row.Last {
		out = appendRow(out, row)
	}
	return out
}

func appendRow(out []Stored, row Stored) []Stored {
	if k := len(out) - 1; k >= 0 && out[k].Goes(&row) {
		out[k].Last = row.Last
		return out
	}
	return append(out, row)
}

// maxStored bounds what Load takes over; a state of ours is far smaller.
const maxStored = 8 * maxSpans

// Load makes a share-partition of what was stored: its start, and the rows in
// any order. Rows that make no sense are passed over, and of those that
// overlap the later counts.
func Load(s Settings, start int64, rows []Stored) *Partition {
	p := New(s, start)
	if len(rows) > maxStored {
		rows = rows[:maxStored]
	}
	for _, r := range rows {
		first := max(r.First, start)
		if r.First < 0 || r.Last < first || r.Last == 1<<63-1 || r.Count < 0 {
			continue
		}
		r.First = first
		p.restore(&r)
	}
	for i := range p.spans {
		if s := &p.spans[i]; p.lanes != nil && s.state == Acquired {
			p.lanes.hold(s.lock, s.len())
		}
	}
	p.moved = false
	p.settle()
	p.moved = p.start != start
	return p
}

// restore puts a stored row in its place.
func (p *Partition) restore(r *Stored) {
	s := span{first: r.First, last: r.Last, state: r.State, count: r.Count}
	p.reach(s.last)
	var i, j int
	p.spans, i, j = p.spans.part(s.first, s.last)
	for k := i; k < j; k++ {
		p.disown(&p.spans[k])
	}
	switch s.state {
	case Acknowledged, Archiving, Archived:
	default:
		s.state, s.atMs = Available, max(0, r.NotBeforeMs)
		if p.lanes != nil {
			s.lock = r.KeyLock
		}
		if r.UntilMs > 0 {
			s.state, s.atMs, s.owner = Acquired, r.UntilMs, p.ownerOf(ownerID{holder: r.Holder})
			p.locked += int(s.len())
			s.owner.locked += int(s.len())
		}
		if s.atMs != 0 {
			p.due(s.atMs)
		}
	}
	p.spans = slices.Replace(p.spans, i, j, s)
	p.spans = p.spans.join(i, i+1)
}
