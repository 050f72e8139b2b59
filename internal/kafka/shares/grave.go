package shares

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/metadata"
	"ottla/internal/outbox"
	"ottla/internal/partition"
	"ottla/internal/partition/replica"
	"ottla/internal/wire"
)

// grave is the partition that dead letters go to.
type grave interface {
	// mostBytes is what a batch may have.
	mostBytes() int
	// put writes a batch and returns when it is committed. After an error it may
	// be written or not.
	put(ctx context.Context, batch []byte) error
}

// grave finds a partition of a topic, wherever it is led.
func (f *Family) grave(topic *metadata.Topic, index int32) (grave, error) {
	node := leaderOf(topic, index)
	if node == f.d.NodeID || f.d.Peers == nil {
		p, code := f.d.Partitions.ByID(topic.ID, index)
		if code != wire.None {
			return nil, code
		}
		return near{p}, nil
	}
	if node < 0 {
		return nil, wire.Errorf(wire.NotLeaderOrFollower, "%s-%d, which takes dead letters, has no leader", topic.Name, index)
	}
	config := f.d.View.TopicConfig(f.d.Cluster.Image(), topic.Name)
	return &far{
		peers: f.d.Peers, node: node, topic: topic, index: index,
		most: min(int(config.MaxMessageBytes), int(config.SegmentBytes)),
	}, nil
}

// near is a grave that this node leads.
type near struct{ p *partition.Partition }

func (g near) mostBytes() int { return g.p.MaxBatch() }

func (g near) put(ctx context.Context, batch []byte) error {
	var got partition.Appended
	if err := g.p.Append(batch, &partition.AppendArgs{Acks: replica.AcksAll, AllowZstd: true}, &got); err != nil {
		return err
	}
	done := make(committed, 1)
	ok, err := g.p.Await(done, got.End, replica.AcksAll)
	if ok || err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return wire.Errorf(wire.RequestTimedOut, "dead letters are written and not committed: %w", ctx.Err())
	}
}

// committed waits for the log.
type committed chan error

// Committed implements partition.Waiter.
func (c committed) Committed(err error) { c <- err }

// far is a grave that another node leads.
type far struct {
	peers outbox.Peers
	node  int32
	topic *metadata.Topic
	index int32
	most  int
}

func (g *far) mostBytes() int { return g.most }

func (g *far) put(ctx context.Context, batch []byte) error {
	ctx, cancel := context.WithTimeout(ctx, makeTimeout)
	defer cancel()
	resp, err := outbox.Call[*kmsg.ProduceResponse](ctx, g.peers, g.node, g.request(batch))
	if err != nil {
		return wire.Errorf(passing(outbox.CodeOf(err)), "dead letters for %s-%d at node %d: %w", g.topic.Name, g.index, g.node, err)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return wire.Errorf(wire.UnknownServerError, "node %d said nothing of dead letters for %s-%d", g.node, g.topic.Name, g.index)
	}
	if code := wire.Code(resp.Topics[0].Partitions[0].ErrorCode); code != wire.None {
		return wire.Errorf(passing(code), "node %d does not take dead letters for %s-%d: %w", g.node, g.topic.Name, g.index, code)
	}
	return nil
}

// passing is how a code is called that is due to nodes of which one knows more
// than the other: it passes, and the letters are written again.
func passing(code wire.Code) wire.Code {
	switch code {
	case wire.NetworkException, wire.UnknownTopicOrPartition, wire.UnknownTopicID, wire.LeaderNotAvailable, wire.FencedLeaderEpoch:
		return wire.NotLeaderOrFollower
	}
	return code
}

// request is a Produce of one batch, by id where both nodes know that.
func (g *far) request(batch []byte) kmsg.Request {
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(13)
	req.Acks, req.TimeoutMillis = -1, int32(makeTimeout.Milliseconds())
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = g.index, batch
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.TopicID = g.topic.Name, g.topic.ID
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}
