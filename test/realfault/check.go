package realfault

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadAll reads a topic from its start to its present end, each partition in
// offset order.
func ReadAll(ctx context.Context, address, topic string) ([]Seen, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	c, err := kgo.NewClient(
		kgo.SeedBrokers(address), kgo.AlwaysRetryEOF(),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.MetadataMinAge(100*time.Millisecond),
	)
	if err != nil {
		return nil, fmt.Errorf("make a consumer: %w", err)
	}
	defer c.Close()
	ends, err := kadm.NewClient(c).ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("list the end offsets of %s: %w", topic, err)
	}
	left := make(map[int32]int64) // end offsets of partitions that are not read yet
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	var all []Seen
	for len(left) > 0 {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, fmt.Errorf("read %s: %w (%d partitions not read to their end)", topic, err, len(left))
		}
		fetches.EachRecord(func(r *kgo.Record) {
			s := Seen{Lane: Lane{Producer: -1, Partition: r.Partition}, Seq: -1, Offset: r.Offset}
			_, _ = fmt.Sscanf(string(r.Value), "%d %d ", &s.Producer, &s.Seq) // anything else is judged as never sent
			all = append(all, s)
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return all, nil
}

// Verify reads everything and judges it.
func (l *Load) Verify(ctx context.Context) (Verdict, error) {
	read, err := ReadAll(ctx, l.Address, l.Topic)
	if err != nil {
		return Verdict{}, err
	}
	return l.Ledger.Judge(read), nil
}
