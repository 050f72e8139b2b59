package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
)

// Weight is how much an archive has. One without a pattern has what the bus's topic has.
type Weight struct {
	// Bytes are those of one replica on disk.
	Bytes int64
	// Events are counted where Exact; else, in partitions that have more than
	// mostCounted, how many there are is concluded from the newest of them.
	Events int64
	Exact  bool
}

const (
	// mostCounted is how many offsets of a partition are looked at: transactions leave
	// marks that have offsets too, and are no events.
	mostCounted = 500
	// weighWithin bounds how long archives are weighed, of which what is not known by
	// then is not told.
	weighWithin = 2 * time.Second
)

// Weigh tells how much archives have, in their order.
func (s *Service) Weigh(ctx context.Context, archives []Archive) ([]Weight, error) {
	ctx, cancel := context.WithTimeout(ctx, weighWithin)
	defer cancel()
	topics, of := make([]string, len(archives)), map[string]Weight{}
	for i, a := range archives {
		if topics[i] = a.Topic; a.Topic == "" {
			b, err := s.Get(ctx, a.Bus)
			if errors.Is(err, ErrNotFound) {
				continue // it is being deleted
			}
			if err != nil {
				return nil, err
			}
			topics[i] = b.Topic
		}
		if topics[i] != "" {
			of[topics[i]] = Weight{}
		}
	}
	if len(of) == 0 {
		return make([]Weight, len(archives)), nil
	}
	c, err := s.o.Client()
	if err != nil {
		return nil, unavailable("weigh archives", err)
	}
	defer c.Close()
	if err := weighTopics(ctx, c, of); err != nil {
		return nil, unavailable("weigh archives", err)
	}
	out := make([]Weight, len(archives))
	for i, topic := range topics {
		out[i] = of[topic]
	}
	return out, nil
}

// weighTopics fills in what topics have.
func weighTopics(ctx context.Context, c *kgo.Client, of map[string]Weight) error {
	names, admin := sortedKeys(of), kadm.NewClient(c)
	begins, err := admin.ListStartOffsets(ctx, names...)
	if err != nil {
		return err
	}
	ends, err := admin.ListCommittedOffsets(ctx, names...)
	if err != nil {
		return err
	}
	sizes, err := sizesOf(ctx, admin, ends)
	if err != nil {
		return err
	}
	for _, topic := range names {
		w := Weight{Exact: true}
		for p, end := range ends[topic] {
			w.Bytes += sizes[topic][p]
			begin, there := begins.Lookup(topic, p)
			if err := errors.Join(end.Err, begin.Err); err != nil || !there {
				return fmt.Errorf("find the offsets of %s-%d: %w", topic, p, err)
			}
			n, exact, err := countEvents(ctx, c, topic, p, begin.Offset, end.Offset)
			if err != nil {
				return err
			}
			w.Events, w.Exact = w.Events+n, w.Exact && exact
		}
		of[topic] = w
	}
	return nil
}

// sizesOf are the bytes of partitions at the node that has most of each.
func sizesOf(ctx context.Context, admin *kadm.Client, of kadm.ListedOffsets) (map[string]map[int32]int64, error) {
	var asked kadm.TopicsSet
	out := map[string]map[int32]int64{}
	of.Each(func(o kadm.ListedOffset) {
		asked.Add(o.Topic, o.Partition)
		out[o.Topic] = map[int32]int64{}
	})
	nodes, err := admin.DescribeAllLogDirs(ctx, asked)
	if err != nil && len(nodes) == 0 {
		return nil, err
	}
	for _, dirs := range nodes { // those that answered
		dirs.EachPartition(func(p kadm.DescribedLogDirPartition) {
			if have := out[p.Topic]; have != nil {
				have[p.Partition] = max(have[p.Partition], p.Size)
			}
		})
	}
	return out, nil
}

// countEvents counts the events of a partition between two offsets.
func countEvents(ctx context.Context, c *kgo.Client, topic string, partition int32, begin, end int64) (n int64, exact bool, err error) {
	from := max(begin, end-mostCounted)
	if from >= end {
		return 0, true, nil
	}
	log, err := follow.Open(follow.Options{Shared: c, Topic: topic, Partition: partition, From: from})
	if err != nil {
		return 0, false, err
	}
	defer log.Close()
	for log.At() < end {
		got, err := log.Next(ctx)
		if err != nil {
			return 0, false, err
		}
		for _, rec := range got {
			if rec.Offset < end {
				n++
			}
		}
	}
	if from == begin {
		return n, true, nil
	}
	return int64(float64(n) / float64(end-from) * float64(end-begin)), false, nil
}
