package data

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// OffsetForLeaderEpoch (23), versions 2-4: where a leader epoch ended, so that
// a consumer sees whether its position was truncated (KIP-101, KIP-320). An
// epoch that is not known, or newer, answers epoch -1 and offset -1.
func (f *Family) offsetForLeaderEpochRow() api.API {
	return api.Row(2, 4, f.offsetForLeaderEpoch)
}

func (f *Family) offsetForLeaderEpoch(_ context.Context, _ *api.Conn, req *kmsg.OffsetForLeaderEpochRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	for i := range req.Topics {
		t := &req.Topics[i]
		rt := kmsg.NewOffsetForLeaderEpochResponseTopic()
		rt.Topic = t.Topic
		for j := range t.Partitions {
			p := &t.Partitions[j]
			row := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			row.Partition, row.LeaderEpoch, row.EndOffset = p.Partition, -1, -1
			part, code := f.o.Partitions.ByName([]byte(t.Topic), p.Partition)
			if code == wire.None {
				epoch, end, err := part.EpochEnd(p.CurrentLeaderEpoch, p.LeaderEpoch)
				if err != nil {
					code = f.explain(err, t.Topic, p.Partition)
				} else {
					row.LeaderEpoch, row.EndOffset = epoch, end
				}
			}
			row.ErrorCode = int16(code)
			rt.Partitions = append(rt.Partitions, row)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}
