package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
	// Unknown is a weight that cannot be told now.
	Unknown bool
}

const (
	// mostCounted is how many offsets of a partition are looked at: transactions leave
	// marks that have offsets too, and are no events.
	mostCounted = 500
	// weighWithin bounds how long archives are weighed, of which what is not known by
	// then is not told.
	weighWithin = 2 * time.Second
)

// Weigh tells how much archives have, in their order. An error says why some, or all, are
// unknown.
func (s *Service) Weigh(ctx context.Context, archives []Archive) ([]Weight, error) {
	ctx, cancel := context.WithTimeout(ctx, weighWithin)
	defer cancel()
	out, topics, of := make([]Weight, len(archives)), make([]string, len(archives)), map[string]Weight{}
	var why []error
	for i, a := range archives {
		if topics[i] = a.Topic; a.Topic == "" {
			b, err := s.Get(ctx, a.Bus)
			if errors.Is(err, ErrNotFound) {
				continue // it is being deleted
			}
			if err != nil {
				why, out[i].Unknown = append(why, err), true
				continue
			}
			topics[i] = b.Topic
		}
		if topics[i] != "" {
			of[topics[i]] = Weight{Unknown: true}
		}
	}
	if len(of) > 0 {
		if err := s.weighTopics(ctx, of); err != nil {
			why = append(why, unavailable("weigh archives", err))
		}
	}
	for i, topic := range topics {
		if topic != "" {
			out[i] = of[topic]
		}
	}
	return out, errors.Join(why...)
}

// weighTopics fills in what topics have, as far as it can be told.
func (s *Service) weighTopics(ctx context.Context, of map[string]Weight) error {
	c, err := s.o.Client()
	if err != nil {
		return err
	}
	defer c.Close()
	names, admin := sortedKeys(of), kadm.NewClient(c)
	topics, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return err
	}
	known := askAll(ctx, admin, topics)
	why := []error{known.noBegins, known.noEnds, known.noSizes}
	for _, topic := range names {
		w := Weight{Exact: true, Unknown: known.sizes == nil}
		for p := range topics[topic].Partitions {
			n, exact, err := countAll(ctx, c, topic, p, known.begins, known.ends)
			if err != nil {
				why, w.Unknown = append(why, err), true
				break
			}
			w.Bytes += known.sizes[topic][p]
			w.Events, w.Exact = w.Events+n, w.Exact && exact
		}
		if err := topics[topic].Err; err != nil {
			why, w.Unknown = append(why, fmt.Errorf("find the topic %s: %w", topic, err)), true
		}
		of[topic] = w
	}
	return errors.Join(why...)
}

// countAll counts the events of a partition.
func countAll(ctx context.Context, c *kgo.Client, topic string, p int32, begins, ends kadm.ListedOffsets) (n int64, exact bool, err error) {
	begin, known := begins.Lookup(topic, p)
	end, knownToo := ends.Lookup(topic, p)
	err = errors.Join(begin.Err, end.Err)
	if err == nil && !(known && knownToo) {
		err = errors.New("its leader has not answered")
	}
	if err != nil {
		return 0, false, fmt.Errorf("find the offsets of %s-%d: %w", topic, p, err)
	}
	return countEvents(ctx, c, topic, p, begin.Offset, end.Offset)
}

// answers are what nodes told of topics: of what some do not answer the rest is there.
type answers struct {
	begins, ends              kadm.ListedOffsets
	sizes                     map[string]map[int32]int64 // nil for none
	noBegins, noEnds, noSizes error
}

// askAll asks all nodes all of it at once, and leaves half of the time to count: one that
// says nothing takes no more than the other half, of all of them together.
func askAll(ctx context.Context, admin *kadm.Client, topics kadm.TopicDetails) (a answers) {
	ctx, cancel := context.WithTimeout(ctx, weighWithin/2)
	defer cancel()
	names := topics.Names()
	var asking sync.WaitGroup
	asking.Go(func() { a.begins, a.noBegins = admin.ListStartOffsets(ctx, names...) })
	asking.Go(func() { a.ends, a.noEnds = admin.ListCommittedOffsets(ctx, names...) })
	asking.Go(func() { a.sizes, a.noSizes = sizesOf(ctx, admin, topics) })
	asking.Wait()
	return a
}

// sizesOf are the bytes of partitions at the node that has most of each.
func sizesOf(ctx context.Context, admin *kadm.Client, of kadm.TopicDetails) (map[string]map[int32]int64, error) {
	var asked kadm.TopicsSet
	out := map[string]map[int32]int64{}
	for topic, d := range of {
		out[topic] = map[int32]int64{}
		for p := range d.Partitions {
			asked.Add(topic, p)
		}
	}
	if len(asked) == 0 { // which means everything
		return out, nil
	}
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
