package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"ottla/internal/event/commit"
	"ottla/test/history"
)

// child is this process as a client. Everything but stamp is used by one
// goroutine.
type child struct {
	task
	speaker
	r    *rand.Rand
	txns uint32 // begun so far

	clock sync.Mutex // guards last
	last  int64
}

// endWithin bounds the end of a transaction, through a restart of the broker. A
// worker of the group that the broker shares out takes all of it when it is given
// more partitions in the midst of a transaction: franz-go 1.22.3 waits for a
// heartbeat then, which waits until the worker allows the change.
const endWithin = time.Minute

// runChild does a task until standard input ends.
func runChild(ctx context.Context, text string) error {
	c := &child{speaker: speaker{w: os.Stdout}}
	if err := json.Unmarshal([]byte(text), &c.task); err != nil {
		return fmt.Errorf("read the task: %w", err)
	}
	c.r = rand.New(rand.NewPCG(c.Seed, uint64(c.Process)))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // it ends when the parent says so, or is gone
		cancel()
	}()
	switch c.Kind {
	case "worker":
		return c.work(ctx)
	case "teller":
		return c.tell(ctx)
	}
	return fmt.Errorf("no child is a %q", c.Kind)
}

// anew counts a client that could not go on, and logs why.
func (c *child) anew(count string, why error) error {
	if !errors.Is(why, errAnew) {
		fmt.Fprintf(os.Stderr, "%s (process %d): %v\n", c.ID, c.Process, why)
	}
	return c.say(line{Count: count})
}

// stamp is the time for an operation's Start or End. No two are equal: each
// process has a remainder of its own.
func (c *child) stamp() int64 {
	const grain = 1000
	now, err := sharedNow()
	if err != nil {
		panic(err) // of a clock that was read before
	}
	c.clock.Lock()
	defer c.clock.Unlock()
	at := (now-c.Base)/grain*grain + int64(c.Process)%grain
	if at <= c.last {
		at = c.last + grain
	}
	c.last = at
	return at
}

// open makes a client that is patient with a broker that comes and goes.
func (c *child) open(more ...kgo.Opt) []kgo.Opt {
	opts := append([]kgo.Opt{
		kgo.SeedBrokers(c.Address), kgo.AlwaysRetryEOF(),
		kgo.ClientID(fmt.Sprintf("%s-%d", c.ID, c.Process)),
		kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.DialTimeout(2 * time.Second),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
		kgo.TransactionalID(c.ID),
		kgo.TransactionTimeout(time.Duration(c.TimeoutMs) * time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
		kgo.UnknownTopicRetries(-1),
	}, more...)
	if c.Old {
		opts = append(opts, kgo.MaxVersions(kversion.V3_8_0()))
	}
	return opts
}

// begin is a transaction's operation as it is before anything came of it.
func (c *child) begin() *history.Op {
	c.txns++
	return &history.Op{Process: c.Process, Kind: history.Txn, Committed: true, Start: c.stamp()}
}

// will says what is to be put down should the process die from now on.
func (c *child) will(outcome history.Outcome, ops ...*history.Op) error {
	return c.say(line{Will: ended(outcome, ops)})
}

// did puts down what came of a transaction.
func (c *child) did(outcome history.Outcome, count string, ops ...*history.Op) error {
	for _, op := range ops {
		op.End = c.stamp()
	}
	return c.say(line{Did: ended(outcome, ops), Count: count})
}

func ended(outcome history.Outcome, ops []*history.Op) []history.Op {
	out := make([]history.Op, 0, len(ops))
	for _, op := range ops {
		o := *op
		o.Outcome = outcome
		out = append(out, o)
	}
	return out
}

// produce sends the records of a transaction, notes their offsets in its
// operation and gives the first failure. records[i] is the send at micro from+i.
func (c *child) produce(ctx context.Context, cl *kgo.Client, op *history.Op, from int, records []*kgo.Record) error {
	ctx, cancel := context.WithTimeout(ctx, endWithin)
	defer cancel()
	errs := make([]error, len(records))
	var answers sync.WaitGroup
	for i, r := range records {
		answers.Add(1)
		cl.Produce(ctx, r, func(r *kgo.Record, err error) {
			defer answers.Done()
			if errs[i] = err; err == nil {
				op.Micro[from+i].Records[0][0] = r.Offset
			}
		})
	}
	answers.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return commit.Known(ctx, cl, records...)
}

// send is the micro-operation of one record whose offset is not known yet.
func send(topic string, partition int32, value int64) history.Micro {
	return history.Micro{Kind: history.Send, Partition: partitionName(topic, partition), Records: []history.Record{{-1, value}}}
}

func partitionName(topic string, partition int32) string {
	return fmt.Sprintf("%s-%d", topic, partition)
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
