package data

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// OffsetForLeaderEpoch (23), versions 2-4: where a leader epoch ended, so that
// a consumer sees whether its position was truncated (KIP-101, KIP-320). An
// epoch that is not known, or newer, answers epoch -1 and offset -1.
//
// A node of this cluster that asks in its own name (ReplicaID) is told by any replica,
// whatever its role, the latest epoch of its log and where the log ends, and whether that
// is in doubt (own.TagDoubt): so it finds out whether others have more than it (package
// mend).
func (f *Family) offsetForLeaderEpochRow() api.API {
	return api.Row(2, 4, f.offsetForLeaderEpoch)
}

func (f *Family) offsetForLeaderEpoch(_ context.Context, c *api.Conn, req *kmsg.OffsetForLeaderEpochRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	ends := f.epochEnd
	if c.Node >= 0 && req.ReplicaID == c.Node && f.tails != nil {
		ends = f.tailEnd
	}
	for i := range req.Topics {
		t := &req.Topics[i]
		rt := kmsg.NewOffsetForLeaderEpochResponseTopic()
		rt.Topic = t.Topic
		for j := range t.Partitions {
			p := &t.Partitions[j]
			row := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			row.Partition, row.LeaderEpoch, row.EndOffset = p.Partition, -1, -1
			row.ErrorCode = int16(ends(t.Topic, p, &row))
			rt.Partitions = append(rt.Partitions, row)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

// epochEnd is a leader's answer.
func (f *Family) epochEnd(topic string, p *kmsg.OffsetForLeaderEpochRequestTopicPartition, row *kmsg.OffsetForLeaderEpochResponseTopicPartition) wire.Code {
	part, code := f.o.Partitions.ByName([]byte(topic), p.Partition)
	if code != wire.None {
		return code
	}
	epoch, end, err := part.EpochEnd(p.CurrentLeaderEpoch, p.LeaderEpoch)
	if err != nil {
		return f.explain(err, topic, p.Partition)
	}
	if end < 0 && part.Deposed(f.o.Trusted) {
		return wire.NotLeaderOrFollower // who leads now may know the epoch; see fetch_lapse.go
	}
	row.LeaderEpoch, row.EndOffset = epoch, end
	return wire.None
}

// tailEnd is any replica's answer to another node.
func (f *Family) tailEnd(topic string, p *kmsg.OffsetForLeaderEpochRequestTopicPartition, row *kmsg.OffsetForLeaderEpochResponseTopicPartition) wire.Code {
	t, code := f.tails.TailByName([]byte(topic), p.Partition)
	if code != wire.None {
		return code
	}
	row.LeaderEpoch, row.EndOffset = t.Epoch, t.End
	if t.Doubted {
		own.SetDoubt(&row.UnknownTags)
	}
	return wire.None
}
