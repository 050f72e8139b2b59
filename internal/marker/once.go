package marker

import (
	"context"
	"sync"

	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/partition/replica"
	"ottla/internal/record"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// unsettled is no code.
const unsettled = wire.Code(-1 << 14)

// try is one try at one marker.
type try struct {
	mu    sync.Mutex
	codes []wire.Code // in the order of the marker's partitions
	left  int         // of codes that are unsettled
	begun bool        // every partition has been asked
	done  func([]wire.Code)
	stop  func() bool // takes back the end by the context
}

// Once tries every partition of a marker one time, at this node and no other,
// and calls done with a code for each, in their order, when each has the marker
// synced and visible, or cannot take it; from any goroutine, perhaps before Once
// returns. What is not settled when ctx ends gets REQUEST_TIMED_OUT: it may have
// been written, and is not written later. The codes are Kafka's:
//
//	-1  a negative producer id or epoch
//	3   no such partition, or one of an internal topic
//	6   not led here, or its group coordinator is not ready
//	47  the partition has seen a newer epoch of the producer
//	52  the partition has heard a newer transaction coordinator
//	19, 20, 56  too few replicas, or a disk that does not take it
func (w *Writer) Once(ctx context.Context, m *txn.Marker, done func([]wire.Code)) {
	n := len(m.Partitions)
	if n == 0 {
		done(nil)
		return
	}
	t := newTry(ctx, n, done)
	made := w.made(m)
	for i, tp := range m.Partitions {
		w.write(ctx, t, i, tp, m, made)
	}
	t.asked()
}

// newTry makes a try at n partitions that ends with its context.
func newTry(ctx context.Context, n int, done func([]wire.Code)) *try {
	t := &try{codes: make([]wire.Code, n), left: n, done: done}
	for i := range t.codes {
		t.codes[i] = unsettled
	}
	t.stop = context.AfterFunc(ctx, t.expire)
	return t
}

// made is a marker as partitions have it.
func (w *Writer) made(m *txn.Marker) []byte {
	return record.EndTxnMarker(m.ProducerID, m.ProducerEpoch, m.Commit, m.CoordinatorEpoch, w.o.Now().UnixMilli())
}

// write begins the try at one partition.
func (w *Writer) write(ctx context.Context, t *try, i int, tp txn.TopicPartition, m *txn.Marker, made []byte) {
	if ctx.Err() != nil {
		t.settle(i, wire.RequestTimedOut)
		return
	}
	groups := tp.Topic == w.o.OffsetsTopic
	if metadata.IsInternal(tp.Topic) && !groups {
		t.settle(i, wire.UnknownTopicOrPartition)
		return
	}
	p, code := w.o.Partitions.ByName([]byte(tp.Topic), tp.Partition)
	switch {
	case code != wire.None:
		t.settle(i, code)
	case m.ProducerID < 0 || m.ProducerEpoch < 0:
		t.settle(i, wire.UnknownServerError)
	case groups:
		w.o.Groups.GoAt(ctx, tp.Partition, group.EndTxn{Txn: endOf(m)}, func(_ any, err error) { t.settle(i, groupCode(err)) })
	default:
		t.append(i, p, m, made)
	}
}

// append writes the marker into a partition of records.
func (t *try) append(i int, p *partition.Partition, m *txn.Marker, made []byte) {
	args := partition.AppendArgs{Acks: replica.AcksAll, Internal: true, TransactionVersion: m.Version}
	var got partition.Appended
	// A copy for each: the offset is patched into it.
	if err := p.Append(append([]byte(nil), made...), &args, &got); err != nil {
		t.settle(i, wire.CodeOf(err))
		return
	}
	w := &waiter{t, i}
	done, err := p.Await(w, got.End, replica.AcksAll)
	if done || err != nil {
		w.Committed(err)
	}
}

// endOf is a marker as group coordinators take it.
func endOf(m *txn.Marker) coordinator.Txn {
	end := coordinator.TxnAbort
	if m.Commit {
		end = coordinator.TxnCommit
	}
	return coordinator.Txn{
		ProducerID: m.ProducerID, ProducerEpoch: m.ProducerEpoch, End: end,
		CoordinatorEpoch: m.CoordinatorEpoch, Version: m.Version,
	}
}

// groupCode says in a partition's words why a group coordinator did not take
// the marker.
func groupCode(err error) wire.Code {
	switch code := wire.CodeOf(err); code {
	case wire.CoordinatorNotAvailable, wire.CoordinatorLoadInProgress, wire.NotCoordinator:
		return wire.NotLeaderOrFollower
	default:
		return code
	}
}

// waiter is one partition of a try.
type waiter struct {
	t *try
	i int
}

// Committed implements partition.Waiter.
func (w *waiter) Committed(err error) { w.t.settle(w.i, wire.CodeOf(err)) }

// settle notes what became of a partition; the last one ends the try.
func (t *try) settle(i int, code wire.Code) {
	t.mu.Lock()
	if t.codes[i] != unsettled {
		t.mu.Unlock() // its time was over
		return
	}
	t.codes[i] = code
	t.left--
	over := t.left == 0 && t.begun
	t.mu.Unlock()
	t.endIf(over)
}

// asked tells that every partition has been: nothing is written any more.
func (t *try) asked() {
	t.mu.Lock()
	t.begun = true
	over := t.left == 0
	t.mu.Unlock()
	t.endIf(over)
}

func (t *try) endIf(over bool) {
	if over {
		t.stop()
		t.done(t.codes)
	}
}

// expire ends the try when its context has.
func (t *try) expire() {
	t.mu.Lock()
	over := t.left > 0 && t.begun
	for i := range t.codes {
		if t.codes[i] == unsettled {
			t.codes[i] = wire.RequestTimedOut
		}
	}
	t.left = 0
	t.mu.Unlock()
	if over {
		t.done(t.codes)
	}
}
