package share

import "slices"

// span is a run of neighbouring offsets that share everything.
type span struct {
	first, last int64
	state       State
	count       int16 // deliveries, the one at hand included
	dirty       bool  // it is to be stored
	// atMs is when the lock ends (Acquired), or before when the record is not
	// given out (Available; 0 for at once).
	atMs  int64
	owner *owner // Acquired
	// lock is the hash of the key that the record keeps locked, as it was
	// stored; 0 for none. It counts where the log has not been read again since
	// (lanes.known); below, the lanes know.
	lock uint64
}

// owner is who holds records.
type owner struct {
	ownerID
	locked int
}

// ownerID names a member, or without one those who have receipts: all of them, or
// a Holder.
type ownerID struct {
	member string
	holder uint64
}

func (s *span) len() int64 { return s.last - s.first + 1 }

// like tells whether two spans may be one.
func (s *span) like(o *span) bool {
	return s.state == o.state && s.count == o.count && s.dirty == o.dirty && s.atMs == o.atMs && s.owner == o.owner && s.lock == o.lock
}

// pristine tells whether nothing ever happened to a span.
func (s *span) pristine() bool {
	return s.state == Available && s.count == 0 && s.atMs == 0 && !s.dirty
}

// spans cover a range of offsets without holes, in order.
type spans []span

// index finds the span that holds an offset; the first at or above it.
func (l spans) index(offset int64) int {
	i, _ := slices.BinarySearchFunc(l, offset, func(s span, at int64) int {
		switch {
		case s.last < at:
			return -1
		case s.first > at:
			return 1
		}
		return 0
	})
	return i
}

// cut makes offset the first of a span, if it lies inside one, and gives the
// index of the span that begins there.
func (l spans) cut(offset int64) (spans, int) {
	i := l.index(offset)
	if i == len(l) || l[i].first >= offset {
		return l, i
	}
	right := l[i]
	right.first = offset
	l[i].last = offset - 1
	return slices.Insert(l, i+1, right), i + 1
}

// part cuts at both ends of a range and gives the indexes of its spans.
func (l spans) part(first, last int64) (out spans, from, to int) {
	l, from = l.cut(first)
	l, to = l.cut(last + 1)
	return l, from, to
}

// join makes one of neighbours that are alike among those from index from-1 to
// index to.
func (l spans) join(from, to int) spans {
	from, to = max(from-1, 0), min(to, len(l)-1)
	if from >= to {
		return l
	}
	w := from
	for r := from + 1; r <= to; r++ {
		if l[w].last+1 == l[r].first && l[w].like(&l[r]) {
			l[w].last = l[r].last
			continue
		}
		w++
		l[w] = l[r]
	}
	return slices.Delete(l, w+1, to+1)
}
