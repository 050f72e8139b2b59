package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/kafka/queues"
	"ottla/internal/uuid"
)

// clientOf makes a client that outlives every end of a node.
func clientOf(addrs []string, opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(addrs...), kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }), kgo.UnknownTopicRetries(-1),
	}, opts...)...)
}

// producer is Kafka's way into queues, as a door that one can only send by: the
// records of an idempotent producer.
type producer struct {
	door
	cl     *kgo.Client
	topics map[string]uuid.UUID
}

func newProducer(addrs []string, topics map[string]uuid.UUID) (*producer, error) {
	cl, err := clientOf(addrs, kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0))
	if err != nil {
		return nil, fmt.Errorf("make a producer: %w", err)
	}
	return &producer{cl: cl, topics: topics}, nil
}

// send implements door: the client tries again by itself, and an error ends the run.
// Delays are for those who know queues.
func (p *producer) send(ctx context.Context, queue string, all []message) ([]string, error) {
	ids := make([]string, len(all))
	var way sync.WaitGroup
	var first sync.Once
	var failed error
	for i, m := range all {
		r := &kgo.Record{Topic: queue, Value: []byte(m.name.String())}
		if m.fifo {
			r.Key, r.Headers = []byte(m.key), []kgo.RecordHeader{{Key: queues.HeaderDedup, Value: []byte(m.dedup())}}
		}
		way.Add(1)
		p.cl.Produce(ctx, r, func(r *kgo.Record, err error) {
			defer way.Done()
			if err != nil {
				first.Do(func() { failed = &nonsense{fmt.Errorf("produce %s: %w", r.Value, err)} })
				return
			}
			ids[i] = queues.MessageID(p.topics[queue], r.Partition, r.Offset)
		})
	}
	way.Wait()
	return ids, failed
}
