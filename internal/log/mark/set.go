package mark

import (
	"slices"

	"ottla/internal/log/checkpoint"
)

// Mark is a consistent view of everything that a restart needs: Producers is
// their state as of Pos.
type Mark struct {
	Pos       checkpoint.Position
	Producers []byte
	Segment   checkpoint.Segment
}

// At is a mark at the beginning of a segment without batches.
func At(base, createdMs int64, producers []byte) Mark {
	return Mark{
		Pos: checkpoint.Position{Offset: base, Segment: base}, Producers: producers,
		Segment: checkpoint.Segment{CreatedMs: createdMs, FirstMaxMs: -1, MaxTimestampMs: -1, MaxLastOffset: -1},
	}
}

// mostRolled bounds the marks of rolls that wait for their segments to become
// durable: each holds the state of all producers.
const mostRolled = 8

// Set is the marks of one log. The zero Set is that of a log that begins at
// offset 0.
type Set struct {
	good  Mark
	later []waiting // rising; nothing says yet that they are durable
}

type waiting struct {
	Mark
	rolled bool
}

// Good is the newest mark below which everything is durable, durable being the
// offset up to which the log is.
func (s *Set) Good(durable int64) Mark {
	n := 0
	for n < len(s.later) && s.later[n].Pos.Offset <= durable {
		n++
	}
	if n > 0 {
		s.good = s.later[n-1].Mark
		s.later = slices.Delete(s.later, 0, n)
	}
	return s.good
}

// Add notes a mark at the log's end. It takes the place of the one before it,
// unless that was left by a roll.
func (s *Set) Add(m Mark, durable int64) {
	s.Good(durable)
	s.push(waiting{m, false})
}

// AddRolled notes the mark that a roll leaves at the base of the new segment.
func (s *Set) AddRolled(m Mark, durable int64) {
	s.Good(durable)
	s.push(waiting{m, true})
	rolled := 0
	for _, w := range s.later {
		if w.rolled {
			rolled++
		}
	}
	if rolled > mostRolled { // the oldest comes true first, the newest is worth most
		i := slices.IndexFunc(s.later[1:], func(w waiting) bool { return w.rolled }) + 1
		s.later = slices.Delete(s.later, i, i+1)
	}
}

func (s *Set) push(w waiting) {
	if n := len(s.later); n > 0 && (!s.later[n-1].rolled || s.later[n-1].Pos == w.Pos) {
		w.rolled = w.rolled || s.later[n-1].Pos == w.Pos && s.later[n-1].rolled
		s.later = s.later[:n-1]
	}
	s.later = append(s.later, w)
}

// Newest is the newest mark, durable or not.
func (s *Set) Newest() Mark {
	if n := len(s.later); n > 0 {
		return s.later[n-1].Mark
	}
	return s.good
}

// Settle takes the newest mark for good: the caller knows that all is durable.
func (s *Set) Settle() { s.Reset(s.Newest()) }

// Reset forgets all marks but m, which is good.
func (s *Set) Reset(m Mark) { s.good, s.later = m, nil }

// Cut forgets the marks above end. Where the good one lies there, or before the
// log's first segment, a restart begins at first.
func (s *Set) Cut(end int64, first Mark) {
	s.later = slices.DeleteFunc(s.later, func(w waiting) bool { return w.Pos.Offset > end })
	switch {
	case s.good.Pos.Offset > end:
		s.good = first
	case s.good.Pos.Offset < first.Pos.Offset:
		s.good.Pos = first.Pos
	}
}
