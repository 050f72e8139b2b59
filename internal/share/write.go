package share

import "slices"

// Stored is the state of a range of records as it is stored: Available with
// the deliveries so far, Acknowledged, Archiving or Archived. Acquired is not
// stored: locks are gone after a restart.
type Stored struct {
	First, Last int64
	State       State
	Count       int16
	// NotBeforeMs is when an Available record may be given out, by the clock of
	// the caller; 0 for at once.
	NotBeforeMs int64
}

// Write is what is to be stored: the start, and what changed above it.
type Write struct {
	Start int64
	// Done counts the offsets from Start on that are done (KIP-1226).
	Done    int32
	Changed []Stored
}

// Changes takes what changed since the last call; false when nothing did.
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
		w.Changed = appendStored(w.Changed, s)
	}
	moved := p.moved
	p.moved, p.dirtied = false, false
	if len(w.Changed) == 0 && !moved {
		return Write{}, false
	}
	p.spans = p.spans.join(0, len(p.spans))
	return w, true
}

// HasChanges tells whether Changes may have anything to give.
func (p *Partition) HasChanges() bool { return p.moved || p.dirtied }

func appendStored(out []Stored, s *span) []Stored {
	row := Stored{First: s.first, Last: s.last, State: s.state, Count: s.count}
	switch s.state {
	case Acquired:
		row.State = Available
	case Available:
		row.NotBeforeMs = s.atMs
	}
	if k := len(out) - 1; k >= 0 {
		if o := &out[k]; o.Last+1 == row.First && o.State == row.State && o.Count == row.Count && o.NotBeforeMs == row.NotBeforeMs {
			o.Last = row.Last
			return out
		}
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
		p.restore(span{first: first, last: r.Last, state: r.State, count: r.Count, atMs: max(0, r.NotBeforeMs)})
	}
	p.moved = false
	p.settle()
	p.moved = p.start != start
	return p
}

// restore puts a stored row in its place.
func (p *Partition) restore(s span) {
	switch s.state {
	case Acknowledged, Archiving, Archived:
		s.atMs = 0
	default:
		s.state = Available
		if s.atMs != 0 {
			p.due(s.atMs)
		}
	}
	p.reach(s.last)
	var i, j int
	p.spans, i, j = p.spans.part(s.first, s.last)
	p.spans = slices.Replace(p.spans, i, j, s)
	p.spans = p.spans.join(i, i+1)
}
