package topics

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// historyPatience bounds the question to the controller.
const historyPatience = 3 * time.Second

// tellHistory adds to a topic what the controller knows of the changes of the one
// partition of it that the request asks about, if it does.
func (h *handlers) tellHistory(ctx context.Context, req *kmsg.DescribeTopicPartitionsRequest, t *kmsg.DescribeTopicPartitionsResponseTopic) {
	index := int32(-1)
	for i := range req.Topics {
		if asked, ok := own.AsksHistory(&req.Topics[i].UnknownTags); ok && req.Topics[i].Topic == *t.Topic {
			index = asked
		}
	}
	for i := range t.Partitions {
		if p := &t.Partitions[i]; p.Partition == index {
			own.SetHistory(&p.UnknownTags, h.history(ctx, *t.Topic, index))
		}
	}
}

func (h *handlers) history(ctx context.Context, topic string, index int32) *own.History {
	known, err := api.Do[controller.Explained](ctx, h.d.Cluster, historyPatience, controller.ExplainPartition{Topic: topic, Index: index})
	out := &own.History{Told: told(&known, err)}
	for i := range known.Reasons {
		out.Changes = append(out.Changes, changeOf(&known.Reasons[i]))
	}
	return out
}

// told is who explained something, or why nobody did.
func told(known *controller.Explained, err error) own.Told {
	if err != nil {
		return own.Told{ErrorCode: int16(wire.CodeOf(err)), ErrorMessage: wire.MessageOf(err), Node: -1}
	}
	return own.Told{Node: known.Node, SinceMs: known.SinceMs}
}

func changeOf(r *controller.Reason) own.Change {
	return own.Change{
		AtMs: r.At.UnixMilli(), Why: r.Why, From: r.From, To: r.To, LeaderEpoch: r.LeaderEpoch,
		WasISR: r.WasISR, ISR: r.ISR, ELR: r.ELR, Unclean: r.Unclean,
	}
}

// tellLosses adds to the answer, where the request asks for that, which partitions
// have leaders that may lack records.
func (h *handlers) tellLosses(ctx context.Context, req *kmsg.DescribeTopicPartitionsRequest, resp *kmsg.DescribeTopicPartitionsResponse) {
	if !own.AsksLosses(&req.UnknownTags) {
		return
	}
	known, err := api.Do[controller.Explained](ctx, h.d.Cluster, historyPatience, controller.ExplainLosses{})
	out := &own.Losses{Told: told(&known, err)}
	for i := range known.Reasons {
		r := &known.Reasons[i]
		out.Losses = append(out.Losses, own.Loss{Topic: r.Topic, Partition: r.Index, Change: changeOf(r)})
	}
	own.SetLosses(&resp.UnknownTags, out)
}
