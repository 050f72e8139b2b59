package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
	"ottla/internal/event/place"
	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

const (
	// loadTimeout bounds a load; more is a cluster that does not answer.
	loadTimeout = time.Minute
	// txnTimeout bounds a transaction.
	txnTimeout = 30 * time.Second
	// mostEvents and mostBytes bound the events of a turn, which is one transaction;
	// mostOutputs and mostOutputBytes bound what they become: one event may go to
	// thousands.
	// mostEvents only where so many lie there: a transaction takes some milliseconds
	// however few it has.
	mostEvents      = 10_000
	mostBytes       = 4 << 20
	mostOutputs     = 20_000
	mostOutputBytes = 32 << 20
	// mostBuffered is what a client holds: a turn, whatever it comes to.
	mostBuffered = 1 << 20
	// defaultBatch is how large batches are for topics that say nothing.
	defaultBatch = 1 << 20
)

// walk is a cursor over the source's partition that gives events to targets: the pass,
// a branch, or a replay. One goroutine uses it.
type walk struct {
	r     *runner
	txn   string // transactional id
	key   string // of the record that has the cursor
	name  string // of the replay that it belongs to, "" live
	id    string // of that
	c     *kgo.Client
	src   *plan.Source // whose rules are gone by
	table course.Table // which events each target gets

	feed *feed
	at   int64 // everything below is decided, and written or being committed
	seen int64 // everything below was read
	left []*kgo.Record
	// timeMs is the time of the last record below at.
	timeMs int64

	// fromMs and toMs bound the times of records that are the walk's, where toMs is
	// not 0.
	fromMs, toMs int64

	// patience is how long targets' topics may take.
	patience time.Duration
	// wary writes what targets get before the cursor: a target that does not answer
	// then holds nobody who reads the state.
	wary bool
	// alone says that nothing walks beside it, of the seat.
	alone bool
	// doomed are events that are given up at the walk's only target, by offset; overdue
	// is why all up to a time are.
	doomed  map[int64]dead
	overdue *overdue
	// single ends a turn behind the first event that the walk's only target gets.
	single bool

	arena  []byte // documents of a turn
	spare  []byte // of the turn before, which is being committed
	into   []int
	ending chan error // of the transaction that is being committed; nil when none is
	begun  bool       // a transaction is open that nobody commits yet
}

// open makes the client, keeps others out of its transactional id, and returns what
// the seat's records say then.
func (w *walk) open(ctx context.Context) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	c, err := w.r.s.o.Client(
		kgo.TransactionalID(w.txn), kgo.TransactionTimeout(txnTimeout), kgo.ManualFlushing(), kgo.MaxBufferedRecords(mostBuffered),
		kgo.RecordPartitioner(place.Partitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytesFn(w.batchBytes),
		kgo.ProduceRequestTimeout(max(w.patience, time.Second)),
	)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if _, _, err := c.ProducerID(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("keep other runners out: %w", err)
	}
	end, err := w.fence(ctx, c)
	if err == nil {
		err = w.reached(ctx, c, end)
	}
	if err != nil {
		w.abort(c)
		return nil, fmt.Errorf("read %s: %w", StateTopic, err)
	}
	records, _, err := w.r.s.mirror.seat(w.r.statePartition, w.r.seat.Key())
	if err != nil {
		c.Close()
		return nil, err
	}
	w.c = c
	return records, nil
}

// fence writes behind everything that others have written, and tells where that ends.
func (w *walk) fence(ctx context.Context, c *kgo.Client) (int64, error) {
	if err := c.BeginTransaction(); err != nil {
		return 0, err
	}
	w.begun = true
	rec := &kgo.Record{Topic: StateTopic, Partition: w.r.statePartition, Key: []byte(w.r.seat.Key() + "/fence"), Timestamp: w.r.s.o.Now()}
	var failed error
	c.Produce(ctx, rec, func(_ *kgo.Record, err error) { failed = err })
	if err := c.Flush(ctx); err != nil { // the record may still be on its way
		return 0, err
	}
	if failed != nil {
		return 0, failed
	}
	if err := commit.Commit(ctx, c, rec); err != nil {
		return 0, err
	}
	w.begun = false
	return rec.Offset, nil
}

// abortWithin is how long it is tried to end a transaction that nobody will commit.
const abortWithin = 2 * time.Second

// abort closes a client. A transaction that is open is aborted: whoever reads the state,
// or what targets have, would wait until it is given up.
func (w *walk) abort(c *kgo.Client) {
	defer c.Close()
	if !w.begun {
		return
	}
	w.begun = false
	ctx, cancel := context.WithTimeout(context.Background(), abortWithin)
	defer cancel()
	if err := c.AbortBufferedRecords(ctx); err != nil {
		return // who begins the transactional id next aborts it, or time does
	}
	_ = c.EndTransaction(ctx, kgo.TryAbort)
}

// batchBytes is how large batches for a topic may be.
func (w *walk) batchBytes(topic string) int32 {
	p, ok := w.r.s.o.Topic(topic)
	if !ok || p.MaxBytes <= 0 {
		return defaultBatch
	}
	return min(max(p.MaxBytes, 512), 1<<30)
}

// close lets go of all, and waits for what is being committed.
func (w *walk) close() {
	if w.feed != nil {
		w.feed.close()
		w.feed = nil
	}
	if w.ending != nil {
		<-w.ending
		w.ending = nil
	}
	if w.c != nil {
		w.abort(w.c)
		w.c = nil
	}
	w.left = nil
}

// waiting is how far the walk may go at once, up to a limit.
func (w *walk) waiting(limit int64) bool { return w.at < min(w.seen, limit) }

// add takes a chunk over.
func (w *walk) add(c chunk) error {
	if c.err != nil {
		return c.err
	}
	if c.next < w.seen {
		return fmt.Errorf("%s-%d ends at %d now and was read up to %d: %w", w.r.topic, w.r.seat.Partition, c.next, w.seen, errLost)
	}
	w.left, w.seen = append(w.left, c.records...), c.next
	return nil
}

// more is where more can be had to read; nil where something was read that may not be
// looked at yet: all that lies behind it would be in memory.
func (w *walk) more() <-chan chunk {
	if w.at < w.seen {
		return nil
	}
	return w.feed.chunks
}

// gather takes chunks over that are there already, up to what a turn takes.
func (w *walk) gather() error {
	for size := sizes(w.left); len(w.left) < mostEvents && size < mostBytes; {
		select {
		case c := <-w.feed.chunks:
			if err := w.add(c); err != nil {
				return err
			}
			size += sizes(c.records)
		default:
			return nil
		}
	}
	return nil
}

// sizes is how large records are, as take counts it.
func sizes(records []*kgo.Record) int {
	n := 0
	for _, r := range records {
		n += len(r.Key) + len(r.Value)
	}
	return n
}

// errLost says that a log lost its end.
var errLost = errors.New("the log lost its end")

// take gives the records of a turn, and where the walk is after it.
func (w *walk) take(limit int64, most int) (records []*kgo.Record, next int64) {
	n, size := 0, 0
	for n < len(w.left) && n < most && w.left[n].Offset < limit && (n == 0 || size < mostBytes) {
		size += len(w.left[n].Key) + len(w.left[n].Value)
		n++
	}
	records = w.left[:n]
	if next = min(w.seen, limit); n < len(w.left) {
		next = min(next, w.left[n].Offset)
	}
	return records, next
}

// took takes the records of a turn away that ended before next.
func (w *walk) took(next int64) {
	n := 0
	for n < len(w.left) && w.left[n].Offset < next {
		w.timeMs = w.left[n].Timestamp.UnixMilli()
		n++
	}
	w.left, w.at = w.left[n:], next
}

// endless is the limit of a walk without one.
const endless = math.MaxInt64

// fenced tells of errors after which the walk is not the one that runs any more, or
// its transaction is void.
func fenced(err error) bool {
	for _, of := range []error{
		kerr.ProducerFenced, kerr.InvalidProducerEpoch, kerr.InvalidProducerIDMapping, kerr.InvalidTxnState, kerr.TransactionAbortable,
		kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID, kerr.ConcurrentTransactions, kerr.TransactionalIDAuthorizationFailed,
	} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}
