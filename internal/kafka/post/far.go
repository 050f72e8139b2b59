package post

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/metadata"
	"ottla/internal/outbox"
	"ottla/internal/wire"
)

// far is a Box that another node leads.
type far struct {
	o     *Office
	node  int32
	topic *metadata.Topic
	index int32
	most  int
}

// MostBytes implements Box.
func (b *far) MostBytes() int { return b.most }

// Put implements Box.
func (b *far) Put(ctx context.Context, batch []byte) error {
	ctx, cancel := context.WithTimeout(ctx, b.o.Timeout)
	defer cancel()
	resp, err := outbox.Call[*kmsg.ProduceResponse](ctx, b.o.Peers, b.node, b.request(batch))
	if err != nil {
		return wire.Errorf(passing(outbox.CodeOf(err)), "a batch for %s-%d at node %d: %w", b.topic.Name, b.index, b.node, err)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return wire.Errorf(wire.UnknownServerError, "node %d said nothing of a batch for %s-%d", b.node, b.topic.Name, b.index)
	}
	switch code := wire.Code(resp.Topics[0].Partitions[0].ErrorCode); code {
	case wire.None, wire.DuplicateSequenceNumber:
		return nil
	default:
		return wire.Errorf(passing(code), "node %d does not take a batch for %s-%d: %w", b.node, b.topic.Name, b.index, code)
	}
}

// passing is how a code is called that is due to nodes of which one knows more
// than the other: it passes, and the batch is put again.
func passing(code wire.Code) wire.Code {
	switch code {
	case wire.NetworkException, wire.UnknownTopicOrPartition, wire.UnknownTopicID, wire.LeaderNotAvailable, wire.FencedLeaderEpoch:
		return wire.NotLeaderOrFollower
	}
	return code
}

// request is a Produce of one batch, by id where both nodes know that.
func (b *far) request(batch []byte) kmsg.Request {
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(13)
	req.Acks, req.TimeoutMillis = -1, int32(b.o.Timeout.Milliseconds())
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = b.index, batch
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.TopicID = b.topic.Name, b.topic.ID
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}
