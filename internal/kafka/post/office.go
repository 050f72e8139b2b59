package post

import (
	"context"
	"time"

	"ottla/internal/config"
	"ottla/internal/metadata"
	"ottla/internal/outbox"
	"ottla/internal/partition"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Box is a partition that batches go to.
type Box interface {
	// MostBytes is what a batch may have.
	MostBytes() int
	// Put writes a batch, borrowed and patched until it returns, and returns when it
	// is committed. After an error it may be written or not.
	Put(ctx context.Context, batch []byte) error
	// Has looks for a batch of a producer of epoch 0 that may have been put: as long
	// as the partition remembers the producer a Put does as well, and is cheaper.
	Has(ctx context.Context, x Batch) (bool, error)
}

// Partitions finds those that this node leads, or says with a code why there is
// none.
type Partitions interface {
	ByID(id uuid.UUID, index int32) (*partition.Partition, wire.Code)
}

// Office finds Boxes.
type Office struct {
	NodeID     int32
	Partitions Partitions
	Peers      outbox.Peers // nil: all partitions are led here
	View       *config.View
	Image      func() *metadata.Image
	// Timeout bounds the wait for another node.
	Timeout time.Duration
}

// Box finds a partition of a topic. NOT_LEADER_OR_FOLLOWER while it has no leader,
// and while this node does not know yet that it leads it.
func (o *Office) Box(topic *metadata.Topic, index int32) (Box, error) {
	node := leaderOf(topic, index)
	if node == o.NodeID || o.Peers == nil {
		p, code := o.Partitions.ByID(topic.ID, index)
		if code != wire.None {
			return nil, code
		}
		return near{p}, nil
	}
	if node < 0 {
		return nil, wire.Errorf(wire.NotLeaderOrFollower, "%s-%d has no leader", topic.Name, index)
	}
	return &far{o: o, node: node, topic: topic, index: index, most: o.MostBytes(topic.Name)}, nil
}

// MostBytes is what a batch of a topic may have, by its settings.
func (o *Office) MostBytes(topic string) int {
	c := o.View.TopicConfig(o.Image(), topic)
	return min(int(c.MaxMessageBytes), int(c.SegmentBytes))
}

// leaderOf is the node that leads a partition, -1 while there is none.
func leaderOf(t *metadata.Topic, index int32) int32 {
	if index < 0 || int(index) >= len(t.Partitions) || t.Partitions[index] == nil {
		return -1
	}
	return t.Partitions[index].Leader
}
