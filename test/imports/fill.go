package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	endtxn "ottla/internal/event/commit"
	"ottla/test/rig"
)

// The topics of the workload, and the group that reads one of them.
const (
	plain      = "orders"
	compacted  = "prices"
	trimmed    = "audit"
	ledger     = "ledger"
	deleted    = "gone"
	groupName  = "billing"
	partitions = 2
)

// workload is how much is written.
type workload struct {
	records   int // of each codec, to each topic
	valueSize int
	segment   string // internal.segment.bytes
}

var (
	wide   = workload{records: 1500, valueSize: 900, segment: "1048576"}
	narrow = workload{records: 30, valueSize: 100, segment: "4096"}
)

func text(s string) *string { return &s }

// fill makes topics with settings of their own, and records of many shapes:
// every codec, several segments, transactions committed and aborted, a raised
// log start, committed offsets of a group, a topic that is deleted.
func (w workload) fill(ctx context.Context, addr string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	for name, configs := range map[string]map[string]*string{
		plain:     {"retention.ms": text("604800000")},
		compacted: {"cleanup.policy": text("compact"), "min.cleanable.dirty.ratio": text("0.01"), "segment.ms": text("1000")},
		trimmed:   {}, ledger: {}, deleted: {},
	} {
		configs["internal.segment.bytes"] = text(w.segment)
		answer, err := adm.CreateTopic(ctx, partitions, 1, configs, name)
		if err = errors.Join(err, answer.Err); err != nil {
			return fmt.Errorf("create %s: %w", name, err)
		}
	}
	rng := rand.New(rand.NewSource(1))
	for i, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		if err := w.produce(ctx, addr, codec, i*w.records, rng); err != nil {
			return err
		}
	}
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit} {
		if err := transact(ctx, addr, fmt.Sprintf("txn-%d", i%2), end); err != nil {
			return err
		}
	}
	if err := rig.Ended(ctx, cl, "txn-0", "txn-1"); err != nil {
		return err
	}
	if err := trim(ctx, adm); err != nil {
		return err
	}
	if answers, err := adm.DeleteTopics(ctx, deleted); errors.Join(err, answers.Error()) != nil {
		return fmt.Errorf("delete %s: %w", deleted, errors.Join(err, answers.Error()))
	}
	return commit(ctx, adm)
}

func (w workload) produce(ctx context.Context, addr string, codec kgo.CompressionCodec, from int, rng *rand.Rand) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.UnknownTopicRetries(-1), kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(64<<10))
	if err != nil {
		return err
	}
	defer cl.Close()
	var failed error
	for i := from; i < from+w.records; i++ {
		value := make([]byte, w.valueSize)
		rng.Read(value[:w.valueSize/2]) // half of it can be compressed
		for _, topic := range []string{plain, compacted, trimmed, deleted} {
			cl.Produce(ctx, &kgo.Record{
				Topic: topic, Key: fmt.Appendf(nil, "key-%d", i%50), Value: value,
				Headers: []kgo.RecordHeader{{Key: "n", Value: fmt.Append(nil, i)}},
			}, func(_ *kgo.Record, err error) { failed = errors.Join(failed, err) })
		}
		if i%20 == 0 { // several batches
			if err := cl.Flush(ctx); err != nil {
				return err
			}
		}
	}
	return errors.Join(cl.Flush(ctx), failed)
}

// trim raises the log start. Kafka writes it down at a clean stop, and once a
// minute: a kill takes it back, for Kafka too.
func trim(ctx context.Context, adm *kadm.Client) error {
	var to kadm.Offsets
	for p := range int32(partitions) {
		to.AddOffset(trimmed, p, 7, -1)
	}
	answers, err := adm.DeleteRecords(ctx, to)
	return errors.Join(err, answers.Error())
}

func transact(ctx context.Context, addr, id string, end kgo.TransactionEndTry) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.UnknownTopicRetries(-1), kgo.TransactionalID(id), kgo.DefaultProduceTopic(ledger))
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		return err
	}
	var records []*kgo.Record
	for i := range 20 {
		records = append(records, kgo.KeySliceRecord(fmt.Append(nil, i), []byte(id)))
	}
	if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	if err := endtxn.Known(ctx, cl, records...); err != nil {
		return err
	}
	return cl.EndTransaction(ctx, end)
}

func commit(ctx context.Context, adm *kadm.Client) error {
	var to kadm.Offsets
	for p := range int32(partitions) {
		to.Add(kadm.Offset{Topic: plain, Partition: p, At: int64(5 + p), LeaderEpoch: 0, Metadata: "from Kafka"})
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return adm.CommitAllOffsets(ctx, groupName, to)
}
