package producer

import (
	"cmp"
	"slices"

	"ottla/internal/record"
)

// WindowSize is how many batches per producer and partition are remembered to
// recognise duplicates (KIP-98). Clients keep at most five requests in flight.
const WindowSize = 5

// State is what one partition knows of its producers: the last five batches
// of each, its epoch, its open transaction; and of transactions: the first
// unstable offset. It is pure: no lock, no clock; the log that owns it calls
// it under the partition's lock.
type State struct {
	producers map[int64]*entry
	open      openList
	decided   decidedQueue
	logStart  int64
}

// NewState returns an empty state.
func NewState() *State {
	return &State{producers: make(map[int64]*entry)}
}

// Reset empties the state.
func (s *State) Reset() {
	clear(s.producers)
	s.open = openList{}
	s.decided.reset()
	s.logStart = 0
}

// Len is the number of producers known.
func (s *State) Len() int { return len(s.producers) }

// Apply records a batch that is in the log at h.BaseOffset: after a live
// append, in recovery and on followers alike. For an abort marker that ends a
// transaction with data it returns the entry that belongs into the transaction
// index. batch is needed only for control batches. Batches without a producer
// id change nothing. Apply follows the log even where Check would have
// refused; it fails only on a control batch that is no transaction marker.
func (s *State) Apply(h *record.Header, batch []byte) (Aborted, bool, error) {
	if h.ProducerID < 0 {
		return Aborted{}, false, nil
	}
	if h.Control() {
		return s.applyMarker(h, batch)
	}
	e := s.entry(h.ProducerID)
	e.setEpoch(h.ProducerEpoch)
	e.push(batchMeta{
		lastOffset:  h.LastOffset(),
		timestampMs: h.MaxTimestamp,
		lastSeq:     h.LastSequence(),
		offsetDelta: h.LastOffsetDelta,
	})
	e.lastTimestampMs = h.MaxTimestamp
	if h.Transactional() && e.txnFirst < 0 {
		e.txnFirst = h.BaseOffset
		s.open.add(e)
	}
	return Aborted{}, false, nil
}

// entry finds the producer, or makes it.
func (s *State) entry(id int64) *entry {
	e := s.producers[id]
	if e == nil {
		e = newEntry(id)
		s.producers[id] = e
	}
	return e
}

// Expire forgets producers without an open transaction that were silent since
// before beforeMs (producer.id.expiration.ms ago); it tells how many.
func (s *State) Expire(beforeMs int64) int {
	n := len(s.producers)
	for id, e := range s.producers {
		if e.txnFirst < 0 && e.lastTimestampMs < beforeMs {
			delete(s.producers, id)
		}
	}
	return n - len(s.producers)
}

// TruncateStart forgets decided transactions that lie wholly below the log
// start offset, and keeps the first unstable offset from falling below it.
// Producers stay until they expire, so that a producer whose records were all
// deleted goes on in sequence (KIP-360).
func (s *State) TruncateStart(logStart int64) {
	s.logStart = max(s.logStart, logStart)
	s.decided.drop(logStart)
}

// Info is a producer as DescribeProducers shows it.
type Info struct {
	ProducerID            int64
	Epoch                 int16
	LastSequence          int32 // -1 when no batch is remembered
	LastTimestampMs       int64
	CoordinatorEpoch      int32 // -1 before the first marker
	CurrentTxnStartOffset int64 // -1 when none
}

// List returns all producers by id.
func (s *State) List() []Info {
	list := make([]Info, 0, len(s.producers))
	for _, e := range s.sorted() {
		list = append(list, Info{
			ProducerID:            e.id,
			Epoch:                 e.epoch,
			LastSequence:          e.last().lastSeq,
			LastTimestampMs:       e.lastTimestampMs,
			CoordinatorEpoch:      e.coordinatorEpoch,
			CurrentTxnStartOffset: e.txnFirst,
		})
	}
	return list
}

// sorted lists the producers by id, so that nothing hangs on map order.
func (s *State) sorted() []*entry {
	list := make([]*entry, 0, len(s.producers))
	for _, e := range s.producers {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *entry) int { return cmp.Compare(a.id, b.id) })
	return list
}
