package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
	"ottla/test/interop/crowd"
)

// txnRound is how many numbers a transaction has.
const txnRound = 30

// transactions are the transaction scenarios of content.go.
func (f *franz) transactions(ctx context.Context) {
	crowd.Tell("txn", f.txn(ctx))
	crowd.Tell("txn-offsets", f.txnOffsets(ctx))
	crowd.Tell("txn-fenced", f.txnFenced(ctx))
}

func (f *franz) transactional(id string) (*kgo.Client, error) {
	return dial(f.addr, kgo.TransactionalID(f.prefix+"-"+id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
}

// round sends txnRound numbers, from first on, in a transaction that it leaves
// open.
func (f *franz) round(ctx context.Context, p *kgo.Client, topic string, first int) error {
	if err := p.BeginTransaction(); err != nil {
		return err
	}
	var records []*kgo.Record
	for i := first; i < first+txnRound; i++ {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: strconv.AppendInt(nil, int64(i), 10)})
	}
	if err := p.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	return commit.Known(ctx, p, records...)
}

func (f *franz) txn(ctx context.Context) error {
	topic, err := f.topic(ctx, "txn", partitions, nil)
	if err != nil {
		return err
	}
	p, err := f.transactional("txn")
	if err != nil {
		return err
	}
	defer p.Close()
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit} {
		if err := f.round(ctx, p, topic, i*txnRound); err != nil {
			return err
		}
		if err := p.EndTransaction(ctx, end); err != nil {
			return fmt.Errorf("end transaction %d: %w", i, err)
		}
	}
	if err := f.numbers(ctx, topic, true, 0, 2*txnRound); err != nil {
		return err
	}
	return f.numbers(ctx, topic, false, 0, txnRound, 2*txnRound)
}

// numbers reads a topic at an isolation level: it has the rounds that begin
// with firsts, in order, and nothing else.
func (f *franz) numbers(ctx context.Context, topic string, committed bool, firsts ...int) error {
	level := kgo.ReadUncommitted()
	if committed {
		level = kgo.ReadCommitted()
	}
	start := map[int32]kgo.Offset{}
	for p := range int32(partitions) {
		start[p] = kgo.NewOffset().AtStart()
	}
	c, err := dial(f.addr, kgo.FetchIsolationLevel(level), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: start}))
	if err != nil {
		return err
	}
	defer c.Close()
	want := map[int32][]int{}
	left := 0
	for _, first := range firsts {
		for i := first; i < first+txnRound; i++ {
			want[int32(i%partitions)] = append(want[int32(i%partitions)], i)
			left++
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for left > 0 {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("%d numbers are missing (read committed: %v): %w", left, committed, err)
		}
		for _, r := range fetches.Records() {
			if w := want[r.Partition]; len(w) == 0 || string(r.Value) != strconv.Itoa(w[0]) {
				return fmt.Errorf("partition %d offset %d holds %s, want the first of %v (read committed: %v)", r.Partition, r.Offset, r.Value, w, committed)
			}
			want[r.Partition] = want[r.Partition][1:]
			left--
		}
	}
	return nil
}

// fill commits two rounds to a topic.
func (f *franz) fill(ctx context.Context, topic string) error {
	p, err := f.transactional("txn-fill")
	if err != nil {
		return err
	}
	defer p.Close()
	for i := range 2 {
		if err := f.round(ctx, p, topic, i*txnRound); err != nil {
			return err
		}
		if err := p.EndTransaction(ctx, kgo.TryCommit); err != nil {
			return err
		}
	}
	return nil
}

// txnOffsets consumes, transforms and produces; the second try is aborted.
func (f *franz) txnOffsets(ctx context.Context) error {
	in, err := f.topic(ctx, "txn-in", partitions, nil)
	if err != nil {
		return err
	}
	out, err := f.topic(ctx, "txn-out", partitions, nil)
	if err != nil {
		return err
	}
	if err := f.fill(ctx, in); err != nil {
		return err
	}
	s, err := kgo.NewGroupTransactSession(reaching(f.addr, kgo.TransactionalID(f.prefix+"-txn-offsets"),
		kgo.ConsumerGroup(in), kgo.ConsumeTopics(in), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		return err
	}
	defer s.Close()
	for done, try := 0, 0; done < 2*txnRound; try++ {
		records := s.PollRecords(ctx, 20).Records()
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.Begin(); err != nil {
			return err
		}
		for _, r := range records {
			s.Produce(ctx, &kgo.Record{Topic: out, Partition: r.Partition, Value: r.Value}, nil)
		}
		committed, err := s.End(ctx, kgo.TransactionEndTry(try != 1))
		if err != nil {
			return fmt.Errorf("end try %d: %w", try, err)
		}
		if committed {
			done += len(records)
		}
	}
	if err := f.numbers(ctx, out, true, 0, txnRound); err != nil {
		return err
	}
	return f.committedTo(ctx, in, 2*txnRound/partitions)
}

// committedTo checks that a group has read so many records of each partition
// of the topic of its name; two markers may be counted too.
func (f *franz) committedTo(ctx context.Context, topic string, each int) error {
	got, err := f.admin.FetchOffsets(ctx, topic)
	if err != nil {
		return err
	}
	for p := range int32(partitions) {
		o, _ := got.Lookup(topic, p)
		if extra := o.At - int64(each); extra < 0 || extra > 2 {
			return fmt.Errorf("offset %d is committed for partition %d, want %d and at most two markers", o.At, p, each)
		}
	}
	return nil
}

func (f *franz) txnFenced(ctx context.Context) error {
	topic, err := f.topic(ctx, "txn-fenced", partitions, nil)
	if err != nil {
		return err
	}
	var both []*kgo.Client
	for i := range 2 {
		p, err := f.transactional("txn-fenced")
		if err != nil {
			return err
		}
		defer p.Close()
		both = append(both, p)
		if err := f.round(ctx, p, topic, i*txnRound); err != nil {
			return err
		}
	}
	fenced := both[0].EndTransaction(ctx, kgo.TryCommit)
	if !slices.ContainsFunc([]error{kerr.ProducerFenced, kerr.InvalidProducerEpoch}, func(e error) bool { return errors.Is(fenced, e) }) {
		return fmt.Errorf("the first producer's commit gives %v, want PRODUCER_FENCED", fenced)
	}
	if err := both[1].EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("the second producer's commit: %w", err)
	}
	return f.numbers(ctx, topic, true, txnRound)
}
