package realfault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Load is a set of idempotent producers (acks=all) that write numbered records
// to one topic until they are stopped, through every end of the node.
type Load struct {
	Address    string
	Topic      string
	Partitions int32
	Producers  int
	Rate       int // records a second, of all producers together
	Size       int // bytes of a value, about

	Ledger *Ledger

	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex // guards failed
	failed []error
}

// Prepare makes the topic.
func (l *Load) Prepare(ctx context.Context) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(l.Address), kgo.AlwaysRetryEOF())
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer c.Close()
	r, err := kadm.NewClient(c).CreateTopic(ctx, l.Partitions, 1, nil, l.Topic)
	if err == nil {
		err = r.Err
	}
	if err != nil {
		return fmt.Errorf("create topic %s: %w", l.Topic, err)
	}
	return nil
}

// Start begins to produce.
func (l *Load) Start(ctx context.Context) error {
	ctx, l.cancel = context.WithCancel(ctx)
	for i := range l.Producers {
		c, err := kgo.NewClient(
			kgo.SeedBrokers(l.Address), kgo.AlwaysRetryEOF(),
			kgo.RequiredAcks(kgo.AllISRAcks()),
			kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.ProducerLinger(0),
			kgo.MaxBufferedRecords(2000),
			kgo.MetadataMinAge(100*time.Millisecond),
			kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
			kgo.UnknownTopicRetries(-1),
		)
		if err != nil {
			return fmt.Errorf("make producer %d: %w", i, err)
		}
		l.wg.Go(func() { l.produce(ctx, c, i) })
	}
	return nil
}

// produce is one producer: every tick a handful of records, to each partition
// in turn.
func (l *Load) produce(ctx context.Context, c *kgo.Client, producer int) {
	defer c.Close()
	const ticks = 100 // a second
	tick := time.NewTicker(time.Second / ticks)
	defer tick.Stop()
	share := max(1, l.Rate/l.Producers/ticks)
	padding := strings.Repeat("x", l.Size)
	for n := 0; ; {
		select {
		case <-ctx.Done():
			l.drain(c)
			return
		case <-tick.C:
		}
		for range share {
			lane := Lane{producer, int32(n) % l.Partitions}
			n++
			seq := l.Ledger.Next(lane)
			r := &kgo.Record{Topic: l.Topic, Partition: lane.Partition, Value: fmt.Appendf(nil, "%d %d %s", producer, seq, padding)}
			c.Produce(context.Background(), r, func(r *kgo.Record, err error) {
				if err != nil {
					l.fail(fmt.Errorf("producer %d, record %d to partition %d: %w", producer, seq, lane.Partition, err))
					return
				}
				l.Ledger.Acked(lane, seq, r.Offset)
			})
		}
	}
}

// drain waits for the answers that are still due.
func (l *Load) drain(c *kgo.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Flush(ctx); err != nil {
		l.fail(fmt.Errorf("flush: %w", err))
	}
}

func (l *Load) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failed) < maxExamples {
		l.failed = append(l.failed, err)
	}
}

// Stop ends the load and waits for all answers. It returns what the clients
// gave up on: nothing, when the node keeps its word.
func (l *Load) Stop() error {
	l.cancel()
	l.wg.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.failed...)
}
