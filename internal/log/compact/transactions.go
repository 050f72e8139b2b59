package compact

import (
	"ottla/internal/producer"
	"ottla/internal/record"
)

// Transactions follows the transactions of a log while its batches go by in
// order, to tell which batches are aborted and which markers end nothing any
// more.
type Transactions struct {
	aborted   []producer.Aborted // by first offset; those not begun yet
	aborting  map[int64]*hidden  // by producer: begun, and the marker is to come
	committed map[int64]bool     // producers with batches of a transaction that commits
	kept      []producer.Aborted // entries whose markers stay and hide something
}

// hidden is an aborted transaction under way.
type hidden struct {
	entry producer.Aborted
	seen  bool // a batch of it is still there
}

// NewTransactions begins with what the transaction indexes know of the offsets
// to come, ordered by first offset. The list is kept and not changed.
func NewTransactions(aborted []producer.Aborted) Transactions {
	return Transactions{aborted: aborted, aborting: map[int64]*hidden{}, committed: map[int64]bool{}}
}

// Batch takes a batch that is no control batch and tells whether it belongs to
// an aborted transaction.
func (t *Transactions) Batch(h *record.Header) (aborted bool) {
	t.begin(h)
	if !h.Transactional() {
		return false
	}
	if a := t.aborting[h.ProducerID]; a != nil {
		a.seen = true
		return true
	}
	t.committed[h.ProducerID] = true
	return false
}

// Marker takes a control batch and tells whether it is spent: of its
// transaction nothing is left. One that does not end a transaction never is;
// one without records was cleaned before.
func (t *Transactions) Marker(h *record.Header, b []byte) (spent bool, err error) {
	t.begin(h)
	if h.Count == 0 {
		return true, nil
	}
	kind, err := record.ControlType(b)
	if err != nil {
		return false, err
	}
	switch kind {
	case record.ControlAbort:
		a := t.aborting[h.ProducerID]
		delete(t.aborting, h.ProducerID)
		if a != nil && a.seen {
			t.kept = append(t.kept, a.entry)
			return false, nil
		}
		return true, nil
	case record.ControlCommit:
		seen := t.committed[h.ProducerID]
		delete(t.committed, h.ProducerID)
		return !seen, nil
	}
	return false, nil
}

// TakeKept hands over the entries for the transaction index of the batches
// since the last call, by marker.
func (t *Transactions) TakeKept() []producer.Aborted {
	out := t.kept
	t.kept = nil
	return out
}

// begin moves the aborted transactions that begin within a batch or before it
// to those under way. One that ended before it is no more: its marker will not
// come by to end it.
func (t *Transactions) begin(h *record.Header) {
	for len(t.aborted) > 0 && t.aborted[0].FirstOffset <= h.LastOffset() {
		a := t.aborted[0]
		t.aborted = t.aborted[1:]
		if t.aborting[a.ProducerID] == nil && a.LastOffset >= h.BaseOffset {
			t.aborting[a.ProducerID] = &hidden{entry: a}
		}
	}
}
