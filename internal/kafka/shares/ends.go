package shares

import (
	"context"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/metadata"
	"ottla/internal/outbox"
	"ottla/internal/wire"
)

// ends are the high watermarks of partitions of a topic, wherever they are led;
// those that nobody tells of in time are left out.
func (f *Family) ends(ctx context.Context, topic *metadata.Topic, indexes []int32) map[int32]int64 {
	out := map[int32]int64{}
	elsewhere := map[int32][]int32{} // by node
	for _, p := range indexes {
		if led, code := f.d.Partitions.ByID(topic.ID, p); code == wire.None {
			out[p] = led.Offsets().HighWatermark
		} else if node := leaderOf(topic, p); node >= 0 && node != f.d.NodeID && f.d.Peers != nil {
			elsewhere[node] = append(elsewhere[node], p)
		}
	}
	if len(elsewhere) == 0 {
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	answers := make(chan kmsg.Response, len(elsewhere))
	for _, node := range slices.Sorted(maps.Keys(elsewhere)) {
		f.d.Peers.Start(ctx, node, endsRequest(topic.Name, elsewhere[node]), func(resp kmsg.Response, err error) {
			if err != nil {
				f.d.Logger.Debug("the lag of a share group is not known", "topic", topic.Name, "broker", node, "err", outbox.CodeOf(err))
			}
			answers <- resp
		})
	}
	for range elsewhere {
		resp, ok := (<-answers).(*kmsg.ListOffsetsResponse)
		if !ok {
			continue
		}
		for i := range resp.Topics {
			for _, p := range resp.Topics[i].Partitions {
				if p.ErrorCode == 0 && p.Offset >= 0 {
					out[p.Partition] = p.Offset
				}
			}
		}
	}
	return out
}

// latest asks ListOffsets for the high watermark.
const latest = -1

func endsRequest(topic string, indexes []int32) kmsg.Request {
	req := kmsg.NewPtrListOffsetsRequest()
	req.SetVersion(11)
	req.ReplicaID = -1
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for _, p := range indexes {
		row := kmsg.NewListOffsetsRequestTopicPartition()
		row.Partition, row.CurrentLeaderEpoch, row.Timestamp = p, -1, latest
		t.Partitions = append(t.Partitions, row)
	}
	req.Topics = append(req.Topics, t)
	return req
}

// leaderOf is the node that leads a partition, -1 when none does.
func leaderOf(t *metadata.Topic, index int32) int32 {
	if index < 0 || int(index) >= len(t.Partitions) || t.Partitions[index] == nil {
		return -1
	}
	return t.Partitions[index].Leader
}
