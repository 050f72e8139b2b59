package cli

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/nodes"
)

const (
	// votersOfDev is how many nodes of a new cluster get a vote by themselves
	// (quorum.auto.voters).
	votersOfDev = 3
	// formsWithin bounds the wait for them.
	formsWithin = 10 * time.Second
)

// formed waits until as many nodes of a new cluster vote as will: one that is killed
// before would take what the others need for a majority with it.
func (c *devCluster) formed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, formsWithin)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.others(0)...), kgo.ClientID("ottla-dev"))
	if err != nil {
		return // the addresses are our own; what is wrong with them, nodes have said
	}
	defer cl.Close()
	for {
		q, err := nodes.Quorum(ctx, cl)
		if err == nil && votes(q, min(c.count, votersOfDev)) || ask.Pause(ctx, 20*time.Millisecond) != nil {
			return
		}
	}
}

// votes tells whether so many nodes vote and have all that the leader has.
func votes(q *kmsg.DescribeQuorumResponseTopicPartition, want int) bool {
	return len(q.CurrentVoters) >= want && !slices.ContainsFunc(q.CurrentVoters, func(v kmsg.DescribeQuorumResponseTopicPartitionReplicaState) bool {
		return v.LogEndOffset < q.HighWatermark
	})
}
