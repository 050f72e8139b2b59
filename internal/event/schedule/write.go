package schedule

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/produce"
	"ottla/internal/record"
)

// errTooLarge is why a run fails whose record its topic will never take.
var errTooLarge = errors.New("the record is larger than its topic takes")

// recordOverhead is what a record has at most beside its key, its value and its
// headers, and each header beside its own.
const recordOverhead = 40

// sizeOf is what a record takes in a batch, or somewhat more.
func sizeOf(rec *kgo.Record) int {
	n := recordOverhead + len(rec.Key) + len(rec.Value)
	for _, h := range rec.Headers {
		n += recordOverhead + len(h.Key) + len(h.Value)
	}
	return n
}

// exactly is what a batch of one record takes.
func exactly(rec *kgo.Record) int {
	b := record.NewBuilder()
	headers := make([]record.RecordHeader, len(rec.Headers))
	for i, h := range rec.Headers {
		headers[i] = record.RecordHeader(h)
	}
	b.Add(rec.Timestamp.UnixMilli(), rec.Key, rec.Value, headers...)
	return b.Size()
}

// fit refuses records of which one is larger alone than a batch of its topic may be,
// whatever compression would make of it: like this one run fails, and nothing of the
// transaction has to be taken back.
func (r *runner) fit(records []*kgo.Record) error {
	for _, rec := range records {
		most := r.mostBytes(rec.Topic)
		if most == 0 || record.HeaderSize+sizeOf(rec) <= most {
			continue
		}
		if n := exactly(rec); n > most {
			return fmt.Errorf("%w: %d bytes, and %s takes %d (max.message.bytes)", errTooLarge, n, rec.Topic, most)
		}
	}
	return nil
}

// mostBytes is what a batch of a topic may have, 0 where that is not known.
func (r *runner) mostBytes(topic string) int {
	if r.s.o.MostBytes == nil {
		return 0
	}
	return r.s.o.MostBytes(topic)
}

// writing hands the records of a transaction to the client, in pieces that are no
// more for any topic than its batches may have: the client knows no topic's bound.
type writing struct {
	r     *runner
	ctx   context.Context
	bytes map[string]int // that may lie in one batch, by topic

	mu     sync.Mutex // guards what follows: the client tells from goroutines of its own
	failed refusals
	own    error // of what is known of schedules: then nobody else is to blame
	swept  error // of records that nobody refused
}

// state writes what is known of a schedule.
func (w *writing) state(rec *kgo.Record) error {
	return w.put(rec, func(err error) {
		if refused(err) {
			w.own = err
		} else {
			w.swept = err
		}
	})
}

// output writes a record of a plan.
func (w *writing) output(p *plan, out written) error {
	return w.put(out.record, func(err error) {
		switch {
		case !refused(err):
			w.swept = err
		case w.failed[p] == nil:
			w.failed[p] = map[output]error{out.output: err}
		default:
			w.failed[p][out.output] = err
		}
	})
}

// put writes a record; failed is told, mu held, if that does not succeed.
func (w *writing) put(rec *kgo.Record, failed func(error)) error {
	size := sizeOf(rec)
	if most := w.r.mostBytes(rec.Topic); most > 0 && w.bytes[rec.Topic] > 0 && record.HeaderSize+w.bytes[rec.Topic]+size > most {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.bytes[rec.Topic] += size
	produce.Within(w.ctx, w.r.client, deliverTimeout, rec, func(_ *kgo.Record, err error) {
		if err == nil {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		failed(err)
	})
	return nil
}

// errTakeBack says that records were refused, so that nothing more is to be written.
var errTakeBack = errors.New("records were refused")

// flush waits until all that was written is known to be there or not.
func (w *writing) flush() error {
	if err := w.r.client.Flush(w.ctx); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	clear(w.bytes)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.own != nil:
		return fmt.Errorf("write to %s: %w", StateTopic, w.own)
	case len(w.failed) > 0:
		return errTakeBack
	case w.swept != nil:
		return fmt.Errorf("write: %w", w.swept)
	}
	return nil
}

// refused tells an error of a record's topic from one that says nothing of it: where
// one batch is refused, the client gives up all others of the transaction.
func refused(err error) bool {
	var said *kerr.Error
	if errors.As(err, &said) {
		switch said {
		case kerr.InvalidProducerEpoch, kerr.ProducerFenced, kerr.InvalidProducerIDMapping, kerr.InvalidTxnState, kerr.ConcurrentTransactions,
			kerr.TransactionAbortable, kerr.UnknownProducerID, kerr.OutOfOrderSequenceNumber, kerr.OperationNotAttempted:
			return false
		}
		return true
	}
	return errors.Is(err, produce.ErrLate) || errors.Is(err, kgo.ErrRecordRetries)
}
