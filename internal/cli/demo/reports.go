package demo

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// reportsGroup is a Kafka consumer group that reads the bus as the topic that it is.
const reportsGroup = "shop-reports"

// report reads the bus, until ctx is over.
func (d *Demo) report(ctx context.Context) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(d.o.Kafka...), kgo.ClientID("ottla-demo"), kgo.ConsumerGroup(reportsGroup), kgo.ConsumeTopics(bus),
		kgo.FetchMaxBytes(1<<20), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return // the addresses are those of nodes that serve
	}
	defer cl.Close() // it leaves the group, and commits
	for {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			return
		}
		fetches.EachRecord(func(*kgo.Record) { d.tally.add(Read) })
	}
}
