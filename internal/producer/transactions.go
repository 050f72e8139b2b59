package producer

import (
	"fmt"

	"ottla/internal/record"
)

// Aborted is one entry of the transaction index.
type Aborted struct {
	ProducerID       int64
	FirstOffset      int64
	LastOffset       int64 // of the abort marker
	LastStableOffset int64 // as it stood when the entry was made
}

// applyMarker ends the producer's transaction. A marker may bring a newer
// epoch (KIP-890), which forgets the window: the next batch begins at 0.
// One without records was left by a cleaner after its transaction was gone: it
// tells the epoch alone.
func (s *State) applyMarker(h *record.Header, batch []byte) (Aborted, bool, error) {
	if h.Count == 0 {
		e := s.entry(h.ProducerID)
		if h.ProducerEpoch > e.epoch {
			e.setEpoch(h.ProducerEpoch)
		}
		e.lastTimestampMs = h.MaxTimestamp
		return Aborted{}, false, nil
	}
	commit, coordinatorEpoch, err := record.ParseEndTxnMarker(batch)
	if err != nil {
		return Aborted{}, false, fmt.Errorf("marker of producer %d at offset %d: %w", h.ProducerID, h.BaseOffset, err)
	}
	e := s.entry(h.ProducerID)
	first := e.txnFirst
	e.setEpoch(h.ProducerEpoch)
	e.coordinatorEpoch = coordinatorEpoch
	e.lastTimestampMs = h.MaxTimestamp
	if first < 0 {
		return Aborted{}, false, nil // no data here: nothing to hold back or to hide
	}
	s.open.remove(e)
	e.txnFirst = -1
	s.decided.push(decidedTxn{first: first, marker: h.BaseOffset})
	if commit {
		return Aborted{}, false, nil
	}
	stable := h.BaseOffset + 1
	if next := s.open.head; next != nil {
		stable = next.txnFirst
	}
	return Aborted{
		ProducerID:       h.ProducerID,
		FirstOffset:      first,
		LastOffset:       h.BaseOffset,
		LastStableOffset: stable,
	}, true, nil
}

// FirstUnstable is the first offset of the earliest transaction that is open,
// or decided by a marker that lies at or above committed (the high
// watermark); ok is false when there is none. The last stable offset is
// min(that, high watermark). It forgets decided transactions below committed,
// which therefore must not go back, and so needs the same exclusion as Apply.
func (s *State) FirstUnstable(committed int64) (offset int64, ok bool) {
	s.decided.drop(committed)
	if e := s.open.head; e != nil {
		offset, ok = e.txnFirst, true
	}
	if first, some := s.decided.first(); some && (!ok || first < offset) {
		offset, ok = first, true
	}
	return max(offset, s.logStart), ok
}

// Transactions tells, by first offset and no order else, of each transaction that
// is open (marker -1), and of those decided ones that may still hold the last
// stable offset back.
func (s *State) Transactions(fn func(producerID, first, marker int64)) {
	for e := s.open.head; e != nil; e = e.next {
		fn(e.id, e.txnFirst, -1)
	}
	for _, t := range s.decided.list[s.decided.from:] {
		fn(-1, t.first, t.marker)
	}
}

// Settled forgets decided transactions whose markers lie below committed, which
// must not go back.
func (s *State) Settled(committed int64) { s.decided.drop(committed) }

// openList links the producers with an open transaction in the order of its
// first offset. Transactions open in log order, so adding is at the tail; they
// end in any order.
type openList struct{ head, tail *entry }

func (l *openList) add(e *entry) {
	after := l.tail
	for after != nil && after.txnFirst > e.txnFirst {
		after = after.prev
	}
	e.prev = after
	if after == nil {
		e.next, l.head = l.head, e
	} else {
		e.next, after.next = after.next, e
	}
	if e.next == nil {
		l.tail = e
	} else {
		e.next.prev = e
	}
}

func (l *openList) remove(e *entry) {
	if e.prev == nil {
		l.head = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		l.tail = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.prev, e.next = nil, nil
}

// decidedTxn is a transaction whose marker is written but not yet known to be
// committed.
type decidedTxn struct{ first, marker int64 }

// decidedQueue holds decided transactions by marker. An entry that began no
// earlier than a later one can never be the earliest once it matters, so push
// drops it: first offsets ascend, and the front is the minimum.
type decidedQueue struct {
	list []decidedTxn
	from int // list[:from] is forgotten
}

func (q *decidedQueue) push(t decidedTxn) {
	for len(q.list) > q.from && q.list[len(q.list)-1].first >= t.first {
		q.list = q.list[:len(q.list)-1]
	}
	if q.from > 0 && q.from >= len(q.list)/2 { // move down instead of growing for ever
		n := copy(q.list, q.list[q.from:])
		q.list, q.from = q.list[:n], 0
	}
	q.list = append(q.list, t)
}

// drop forgets what has its marker below committed.
func (q *decidedQueue) drop(committed int64) {
	for q.from < len(q.list) && q.list[q.from].marker < committed {
		q.from++
	}
	if q.from == len(q.list) {
		q.reset()
	}
}

func (q *decidedQueue) first() (int64, bool) {
	if q.from == len(q.list) {
		return 0, false
	}
	return q.list[q.from].first, true
}

func (q *decidedQueue) reset() { q.list, q.from = q.list[:0], 0 }
