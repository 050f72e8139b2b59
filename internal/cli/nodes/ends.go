package nodes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// anyReplica asks ListOffsets for the end of whatever log a node holds,
	// leader or not (Kafka's debugging replica id).
	anyReplica = -2
	latest     = -1
	// mostAges bounds how many replicas have the age of what they lack looked up.
	mostAges = 500
)

// spot is a partition.
type spot struct {
	topic string
	index int32
}

// lags compares where replicas' logs end with where their leaders' do. The
// leader is asked last, so that a replica never seems to be ahead.
func (f *Facts) lags(ctx context.Context, s Sources) {
	ends := map[Replica]int64{}
	for _, leading := range []bool{false, true} {
		for _, n := range f.Nodes {
			if n.Dirs == nil {
				continue
			}
			if err := f.ends(ctx, s.Client, n.ID, leading, ends); err != nil {
				f.Missing[fmt.Sprintf("the ends of node %d's logs", n.ID)] = err.Error()
			}
		}
	}
	for i := range f.Partitions {
		p := &f.Partitions[i]
		of := func(node int32) Replica { return Replica{p.Topic, p.Index, node} }
		end, known := ends[of(p.Leader)]
		if !known {
			continue
		}
		for _, id := range slices.Concat(p.Replicas, p.Adding) {
			if at, ok := ends[of(id)]; ok {
				l := Lag{Records: max(end-at, 0)}
				if l.Records > 0 {
					l.Behind = -1
				}
				f.Lags[of(id)] = l
			}
		}
	}
	f.ages(ctx, s, ends)
}

// ends asks a node where the logs end that it leads, or that it follows.
func (f *Facts) ends(ctx context.Context, c *kgo.Client, node int32, leading bool, into map[Replica]int64) error {
	topics := map[string]*kmsg.ListOffsetsRequestTopic{}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = anyReplica
	for i := range f.Partitions {
		p := &f.Partitions[i]
		if !slices.Contains(p.Replicas, node) || (p.Leader == node) != leading {
			continue
		}
		if topics[p.Topic] == nil {
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = p.Topic
			topics[p.Topic] = &t
		}
		row := kmsg.NewListOffsetsRequestTopicPartition()
		row.Partition, row.Timestamp, row.CurrentLeaderEpoch = p.Index, latest, -1
		topics[p.Topic].Partitions = append(topics[p.Topic].Partitions, row)
	}
	if len(topics) == 0 {
		return nil
	}
	for _, t := range topics {
		req.Topics = append(req.Topics, *t)
	}
	resp, err := req.RequestWith(ctx, c.Broker(int(node)))
	if err != nil {
		return fmt.Errorf("ask where logs end: %w", err)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode == 0 && p.Offset >= 0 {
				into[Replica{t.Topic, p.Partition, node}] = p.Offset
			}
		}
	}
	return nil
}

// ages reads, from the leaders, the first record that each replica lacks.
func (f *Facts) ages(ctx context.Context, s Sources, ends map[Replica]int64) {
	from := map[string]map[int32]kgo.Offset{}
	behind := map[spot][]Replica{}
	asked := 0
	for r, l := range f.Lags {
		if l.Records == 0 || asked == mostAges {
			continue
		}
		asked++
		at := spot{r.Topic, r.Index}
		behind[at] = append(behind[at], r)
		if from[r.Topic] == nil {
			from[r.Topic] = map[int32]kgo.Offset{}
		}
		// Where several are behind, the one that lacks most begins.
		o := ends[r]
		for _, other := range behind[at] {
			o = min(o, ends[other])
		}
		from[r.Topic][r.Index] = kgo.NewOffset().At(o)
	}
	if asked == 0 {
		return
	}
	now := s.Now()
	err := firstRecords(ctx, s, from, func(at spot, offset int64, written time.Time) {
		for _, r := range behind[at] {
			if offset >= ends[r] && f.Lags[r].Behind < 0 {
				f.Lags[r] = Lag{Records: f.Lags[r].Records, Behind: max(now.Sub(written), 1)}
			}
		}
	})
	f.note("the ages of what replicas lack", err)
}

// firstRecords reads partitions from offsets on and gives their first records,
// one fetch of each.
func firstRecords(ctx context.Context, s Sources, from map[string]map[int32]kgo.Offset, give func(at spot, offset int64, written time.Time)) error {
	open := 0
	for _, partitions := range from {
		open += len(partitions)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(s.Servers...), kgo.ClientID("ottla-cli"), kgo.ConsumePartitions(from),
		kgo.FetchMaxWait(100*time.Millisecond), kgo.KeepControlRecords())
	if err != nil {
		return fmt.Errorf("make a client that reads records: %w", err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, s.Within)
	defer cancel()
	seen := map[spot]bool{}
	for len(seen) < open && ctx.Err() == nil {
		fetches := c.PollFetches(ctx)
		fetches.EachRecord(func(r *kgo.Record) {
			at := spot{r.Topic, r.Partition}
			give(at, r.Offset, r.Timestamp)
			if !seen[at] {
				seen[at] = true
				c.PauseFetchPartitions(map[string][]int32{r.Topic: {r.Partition}})
			}
		})
	}
	return nil
}
