package producer

import (
	"math"

	"ottla/internal/record"
)

// Verdict is what Check says of a batch that wants in.
type Verdict int8

// The verdicts, with the Kafka code that answers them.
const (
	Accept Verdict = iota
	Duplicate
	OutOfOrder        // OUT_OF_ORDER_SEQUENCE_NUMBER 45
	FencedEpoch       // INVALID_PRODUCER_EPOCH 47
	InvalidTxnState   // INVALID_TXN_STATE 48: plain batch inside an open transaction
	FencedCoordinator // TRANSACTION_COORDINATOR_FENCED 52: CheckMarker only
)

var verdictNames = [...]string{"accept", "duplicate", "out of order", "fenced epoch", "invalid transaction state", "fenced coordinator"}

// String is the verdict in words, for tests and logs.
func (v Verdict) String() string {
	if v < 0 || int(v) >= len(verdictNames) {
		return "unknown verdict"
	}
	return verdictNames[v]
}

// Seen is the first append of a duplicate batch.
type Seen struct {
	BaseOffset, LastOffset int64
	TimestampMs            int64 // the batch's maximum timestamp as stored
}

// Check judges a batch of a producer id (h.ProducerID >= 0) before it is
// appended. It changes nothing and allocates nothing.
//
// In Kafka's order: a batch of the producer's epoch that is among its last
// five is a duplicate; an older epoch is fenced; a newer epoch must begin at
// sequence 0; within an epoch sequences follow each other, the first of all
// being 0 once a marker has set the epoch; an unknown producer may begin
// anywhere; and while a transaction is open only transactional batches may
// come. Batches without a sequence (a coordinator's own) are judged by epoch
// and transaction only. Transaction markers go to CheckMarker.
func (s *State) Check(h *record.Header) (Verdict, Seen) {
	e := s.producers[h.ProducerID]
	if e == nil {
		return Accept, Seen{}
	}
	if h.BaseSequence >= 0 {
		if b := e.duplicate(h); b != nil {
			return Duplicate, Seen{BaseOffset: b.baseOffset(), LastOffset: b.lastOffset, TimestampMs: b.timestampMs}
		}
	}
	switch {
	case h.ProducerEpoch < e.epoch:
		return FencedEpoch, Seen{}
	case h.Control():
		return Accept, Seen{}
	case h.BaseSequence >= 0 && !e.inSequence(h):
		return OutOfOrder, Seen{}
	case e.txnFirst >= 0 && !h.Transactional():
		return InvalidTxnState, Seen{}
	}
	return Accept, Seen{}
}

// duplicate finds the batch that h repeats.
func (e *entry) duplicate(h *record.Header) *batchMeta {
	if h.ProducerEpoch != e.epoch || h.Control() {
		return nil
	}
	last := h.LastSequence()
	for i := e.n; i > 0; i-- { // newest first: a retry is most often of the last
		b := e.batch(i - 1)
		if b.lastSeq == last && b.firstSeq() == h.BaseSequence {
			return b
		}
	}
	return nil
}

func (e *entry) inSequence(h *record.Header) bool {
	if h.ProducerEpoch != e.epoch {
		return h.BaseSequence == 0
	}
	last := e.last().lastSeq
	return int64(h.BaseSequence) == int64(last)+1 || h.BaseSequence == 0 && last == math.MaxInt32
}

// HasOpenTxn tells whether the producer has a transaction open here at that
// epoch. A transactional batch of one that has none needs verification
// (KIP-890).
func (s *State) HasOpenTxn(producerID int64, epoch int16) bool {
	e := s.producers[producerID]
	return e != nil && e.txnFirst >= 0 && e.epoch == epoch
}

// InTxn tells whether the producer has a transaction open here, of any epoch.
func (s *State) InTxn(producerID int64) bool {
	e := s.producers[producerID]
	return e != nil && e.txnFirst >= 0
}

// Remembers tells whether batches of the producer are remembered, of the epoch
// at hand.
func (s *State) Remembers(producerID int64) bool {
	e := s.producers[producerID]
	return e != nil && e.n > 0
}

// CheckMarker judges a transaction marker before it is appended. With
// transaction version 2 (KIP-890 part 2, KIP-1228) a marker carries an epoch
// above that of the data it ends, so an equal one is fenced, unless nothing is
// open any more (a retried marker) or the epoch can grow no further.
func (s *State) CheckMarker(h *record.Header, coordinatorEpoch int32, txnVersion int16) Verdict {
	e := s.producers[h.ProducerID]
	if e == nil {
		return Accept
	}
	if h.ProducerEpoch < e.epoch {
		return FencedEpoch
	}
	if txnVersion >= 2 && h.ProducerEpoch == e.epoch && e.txnFirst >= 0 && e.epoch != math.MaxInt16 {
		return FencedEpoch
	}
	if coordinatorEpoch < e.coordinatorEpoch {
		return FencedCoordinator
	}
	return Accept
}
