package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
	"ottla/test/history"
)

const (
	// transactionTimeout is the broker's patience; what a client leaves open is
	// aborted after it.
	transactionTimeout = 10 * time.Second
	// endWithin is the client's patience with an end, through faults.
	endWithin = time.Minute
	// pauseMs is the longest time between two transactions.
	pauseMs = 40
)

// transact is a transactional producer: transactions of a few records, most of
// them committed, until ctx ends. One whose client is of no use any more begins
// anew with the same transactional id, which ends what was open.
func (c *Cluster) transact(ctx context.Context, id string, seed uint64, size int) error {
	for turn := uint64(0); ctx.Err() == nil; turn++ {
		process := c.History.Process()
		cl, err := c.open(kgo.TransactionalID(id), kgo.TransactionTimeout(transactionTimeout),
			kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0), kgo.UnknownTopicRetries(-1), kgo.ProduceRequestTimeout(5*time.Second))
		if err != nil {
			return err
		}
		r := rand.New(rand.NewPCG(seed, turn))
		for ctx.Err() == nil {
			if !c.transaction(ctx, cl, process, r, size) {
				break
			}
			wait(ctx, time.Duration(r.IntN(pauseMs))*time.Millisecond)
		}
		cl.Close()
		wait(ctx, 50*time.Millisecond)
	}
	return nil
}

// transaction is one; false says that its client is of no use any more.
func (c *Cluster) transaction(ctx context.Context, cl *kgo.Client, process int32, r *rand.Rand, size int) bool {
	if cl.BeginTransaction() != nil {
		return false
	}
	op := history.Op{Process: process, Kind: history.Txn, Start: c.History.Now(), Committed: true}
	var records []*kgo.Record
	for range 1 + r.IntN(5) {
		partition, value := r.Int32N(c.Partitions), c.value.Add(1)
		op.Micro = append(op.Micro, history.Micro{Kind: history.Send, Partition: c.partition(partition), Records: []history.Record{{-1, value}}})
		records = append(records, &kgo.Record{Topic: c.Topic, Partition: partition, Value: Encode(value, size)})
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	taken := c.sendAll(end, cl, &op, records)
	how := kgo.TryCommit
	if !taken || r.IntN(5) == 0 {
		how = kgo.TryAbort
	}
	var err error
	if taken {
		err = commit.Known(end, cl, records...)
	}
	if err == nil {
		err = cl.EndTransaction(end, how)
	}
	switch {
	case how == kgo.TryAbort:
		op.Outcome = history.Fail
	case err != nil:
		op.Outcome = history.Info
	default:
		op.Outcome = history.OK
		c.acked.Add(int64(len(records)))
		c.commits.Add(1)
		for _, r := range records {
			c.told.add(Decode(r.Value))
		}
	}
	if err != nil {
		op.Error = err.Error()
	}
	op.End = c.History.Now()
	c.History.Add(op)
	return err == nil
}

// sendAll sends a transaction's records, notes their offsets, and tells whether
// all were taken.
func (c *Cluster) sendAll(ctx context.Context, cl *kgo.Client, op *history.Op, records []*kgo.Record) bool {
	var answers sync.WaitGroup
	errs := make([]error, len(records))
	for i, r := range records {
		answers.Add(1)
		cl.Produce(ctx, r, func(r *kgo.Record, err error) {
			defer answers.Done()
			if errs[i] = err; err == nil {
				op.Micro[i].Records[0][0] = r.Offset
			}
		})
	}
	answers.Wait()
	for _, err := range errs {
		if err != nil {
			op.Error = fmt.Sprintf("send: %v", err)
			return false
		}
	}
	return true
}

// wait waits, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
