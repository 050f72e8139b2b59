package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/produce"
	"ottla/internal/kafka/post"
	"ottla/internal/kafka/queues"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// sending are messages on their way to the queue's topic. Those of partitions that
// this node leads go into them at once, as batches without a producer; the others,
// and those that such a partition refuses at the moment, by a producer, which tries
// again for a while.
type sending struct {
	s    *Service
	q    *opened
	now  time.Time
	out  []Sent
	near []parcel
	gone []parcel // that are in the log
	by   *producer
	met  meeting // of by with the topic
	far  sync.WaitGroup
	one  bool // one message is on its way at a time

	mu    sync.Mutex // guards all below
	there written
	again []mailed // that were refused for what the producer did not know
}

// mailed is a message on its way by a producer.
type mailed struct {
	place  int
	record *kgo.Record
	alone  bool // it was a batch by itself
}

// parcel are messages of one partition.
type parcel struct {
	index   int32
	p       *partition.Partition
	places  []int // of its messages, in what Send answers
	records []*kgo.Record
	size    int
	written post.Written // of those that are in the log
}

// recordOverhead is what a record has at most beside its key, its value and its
// headers, and each header beside its own.
const recordOverhead = 40

// roughSize is at least what a record takes in a batch.
func roughSize(r *kgo.Record) int {
	size := recordOverhead + len(r.Key) + len(r.Value)
	for i := range r.Headers {
		size += recordOverhead + len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return size
}

// add takes a message, whose place it is told by.
func (w *sending) add(ctx context.Context, place int, m *Message) {
	r := &kgo.Record{Topic: w.q.Topic, Key: m.key(), Value: m.Body, Headers: m.headers(), Timestamp: w.now}
	index, p := w.partition(r)
	if p == nil {
		w.send(ctx, place, r)
		return
	}
	size := roughSize(r)
	to := w.parcel(index, p)
	if len(to.records) > 0 && to.size+size > p.MaxBatch() {
		w.write(ctx, to)
		*to = parcel{index: index, p: p}
	}
	to.places, to.records, to.size = append(to.places, place), append(to.records, r), to.size+size
}

// partition is where a record goes, if this node leads that: one with a key where
// Kafka's producers put it; one without may go to any, and all of them in one Send go
// to the same.
func (w *sending) partition(r *kgo.Record) (int32, *partition.Partition) {
	n := len(w.q.topic.Partitions)
	switch {
	case w.s.o.Partitions == nil || n == 0:
		return 0, nil
	case n == 1:
		return 0, w.led(0)
	case r.Key != nil:
		index := record.KeyHash(r.Key) % int32(n)
		return index, w.led(index)
	case len(w.near) > 0:
		return w.near[0].index, w.near[0].p
	}
	turn := int(w.s.sends.Add(1))
	for i := range n {
		index := int32((turn + i) % n)
		if p := w.led(index); p != nil {
			return index, p
		}
	}
	return 0, nil
}

func (w *sending) led(index int32) *partition.Partition {
	p, code := w.s.o.Partitions.ByID(w.q.topic.ID, index)
	if code != wire.None {
		return nil
	}
	return p
}

func (w *sending) parcel(index int32, p *partition.Partition) *parcel {
	for i := range w.near {
		if w.near[i].index == index {
			return &w.near[i]
		}
	}
	w.near = append(w.near, parcel{index: index, p: p})
	return &w.near[len(w.near)-1]
}

// finish writes what is left, then waits until all messages are durable, or not:
// one sync may do for many partitions.
func (w *sending) finish(ctx context.Context) {
	for i := range w.near {
		w.write(ctx, &w.near[i])
	}
	w.await(ctx)
	w.far.Wait()
	for begun := time.Now(); w.by != nil; w.retry(ctx, begun) {
	}
}

// await waits for what is in the log.
func (w *sending) await(ctx context.Context) {
	if len(w.gone) > 0 {
		within, cancel := context.WithTimeout(ctx, sendTimeout)
		defer cancel()
		for i := range w.gone {
			x := &w.gone[i]
			err := x.written.Await(within)
			for k, r := range x.records {
				r.Partition, r.Offset = x.index, x.written.Base+int64(k)
				w.ended(x.places[k], r, err)
			}
		}
	}
}

// builders make batches.
var builders = sync.Pool{New: func() any { return record.NewBuilder() }}

// keptBuilder bounds the buffer of a builder that is kept.
const keptBuilder = 256 << 10

// write writes a parcel to the log.
func (w *sending) write(ctx context.Context, x *parcel) {
	b := builders.Get().(*record.Builder)
	var headers []record.RecordHeader
	for _, r := range x.records {
		headers = headers[:0]
		for _, h := range r.Headers {
			headers = append(headers, record.RecordHeader(h))
		}
		b.Add(w.now.UnixMilli(), r.Key, r.Value, headers...)
	}
	batch := b.Build(0)
	if len(batch) <= keptBuilder {
		builders.Put(b)
	}
	var err error
	if x.written, err = post.Write(x.p, batch); err == nil {
		w.gone = append(w.gone, *x)
		return
	}
	if len(x.records) > 1 && tooLarge(err) { // it takes less since a moment ago
		for i := range x.records {
			w.write(ctx, &parcel{index: x.index, p: x.p, places: x.places[i : i+1], records: x.records[i : i+1]})
		}
		return
	}
	for i, r := range x.records {
		if passing(err) {
			w.send(ctx, x.places[i], r)
			continue
		}
		w.ended(x.places[i], r, err)
	}
}

// send hands a message to a producer.
func (w *sending) send(ctx context.Context, place int, r *kgo.Record) {
	if w.by == nil {
		by, met, err := w.s.producer(w.q.topic)
		if err != nil {
			w.out[place].Err = err
			return
		}
		w.by, w.met = by, met
	}
	w.far.Add(1)
	produce.Within(ctx, w.by.c, sendTimeout, r, func(r *kgo.Record, err error) {
		if refused(err) {
			w.mu.Lock()
			w.again = append(w.again, mailed{place, r, w.one})
			w.mu.Unlock()
		}
		w.ended(place, r, err)
		w.far.Done()
	})
}

// refused tells of a refusal that another producer may not get: of a topic that
// was made anew, or takes smaller batches. Nothing was written then.
func refused(err error) bool {
	return errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge)
}

// retry gives the producer back, and what it was refused to another that knows
// better, as long as the queue's topic is there. A batch that was too large may be
// that for a leader who knows younger settings than this node: then its messages go
// one by one, once.
func (w *sending) retry(ctx context.Context, begun time.Time) {
	var again []mailed
	recreated := false
	for _, x := range w.again {
		switch anew := errors.Is(w.out[x.place].Err, kerr.UnknownTopicID); {
		case anew:
			recreated = true
		case x.alone, batchOf(x.record, w.met.most) > w.met.most && w.met.most == w.s.most(w.q.Topic):
			continue // it is too large by itself
		}
		again = append(again, x)
	}
	w.s.release(w.by, recreated)
	w.by, w.again, w.one = nil, nil, !recreated
	t := w.s.o.Image().TopicByName(w.q.Topic)
	if len(again) == 0 || t == nil || t.ID != w.q.topic.ID || time.Since(begun) > sendTimeout {
		return
	}
	if recreated { // a node that is behind may have told what it knew
		sleep(ctx, pause)
	}
	if ctx.Err() != nil {
		return
	}
	for _, x := range again {
		r := x.record
		w.out[x.place].Err = nil
		w.send(ctx, x.place, &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: w.now})
		if w.one {
			w.far.Wait()
		}
	}
	w.far.Wait()
}

// ended takes the end of a message. Clients tell it from goroutines of their own.
func (w *sending) ended(place int, r *kgo.Record, err error) {
	out := &w.out[place]
	if err != nil {
		out.Err = sendError(err)
		return
	}
	out.ID = queues.MessageID(w.q.topic.ID, r.Partition, r.Offset)
	if !w.q.FIFO {
		return
	}
	out.Sequence = sequence(r.Offset)
	w.mu.Lock()
	w.there.note(w.q, place, r)
	w.mu.Unlock()
}

// tooLarge tells of a batch that its topic does not take.
func tooLarge(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) || errors.Is(err, wire.MessageTooLarge) || errors.Is(err, wire.RecordListTooLarge)
}

func sendError(err error) error {
	if tooLarge(err) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return fmt.Errorf("%w: the message may have been sent or not: %w", ErrUnavailable, err)
}
