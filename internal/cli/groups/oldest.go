package groups

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// firstFetch is how much of a partition is asked for: one record is enough, and
// Kafka sends a whole first batch however large it is.
const firstFetch = 1

// firstTimes reads the timestamp of the first record at or after each offset.
// Partitions that give none within o.Within are left out.
func firstTimes(ctx context.Context, o Options, at map[string]map[int32]kgo.Offset) (map[TopicPartition]time.Time, error) {
	open := 0
	for _, partitions := range at {
		open += len(partitions)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(o.Servers...), kgo.ClientID("ottla-cli"), kgo.ConsumePartitions(at),
		kgo.FetchMaxPartitionBytes(firstFetch), kgo.FetchMaxWait(100*time.Millisecond), kgo.KeepControlRecords())
	if err != nil {
		return nil, fmt.Errorf("make a client that reads the oldest records: %w", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, o.Within)
	defer cancel()
	out := map[TopicPartition]time.Time{}
	for len(out) < open && ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			p := TopicPartition{r.Topic, r.Partition}
			if _, seen := out[p]; !seen {
				out[p] = r.Timestamp
				client.PauseFetchPartitions(map[string][]int32{r.Topic: {r.Partition}})
			}
		}
	}
	return out, nil
}
