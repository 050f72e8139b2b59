package topics

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// DeleteRecords (21), versions 0 to 2 (KIP-107); v2 is flexible. Offset -1
// means the high watermark. Topics that are compacted only, and internal ones,
// keep their records. The answer comes when all replicas that are alive have
// deleted too, or with REQUEST_TIMED_OUT and as far as all have when they do not
// within the request's time-out.
func (h *handlers) deleteRecords() api.API {
	return api.Row(0, 2, h.serveDeleteRecords,
		"A node whose place another may have taken, for all that it hears, answers NOT_LEADER_OR_FOLLOWER, and not OFFSET_OUT_OF_RANGE, for an offset above what it has.")
}

func (h *handlers) serveDeleteRecords(ctx context.Context, _ *api.Conn, req *kmsg.DeleteRecordsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
	for i := range req.Topics {
		t := kmsg.NewDeleteRecordsResponseTopic()
		t.Topic = req.Topics[i].Topic
		for _, p := range req.Topics[i].Partitions {
			low, err := h.deleteUpTo(t.Topic, p.Partition, p.Offset)
			r := kmsg.NewDeleteRecordsResponseTopicPartition()
			r.Partition, r.LowWatermark, r.ErrorCode = p.Partition, low, int16(wire.CodeOf(err))
			t.Partitions = append(t.Partitions, r)
		}
		resp.Topics = append(resp.Topics, t)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(max(req.TimeoutMillis, 0))*time.Millisecond)
	defer cancel()
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			h.awaitLow(ctx, resp.Topics[i].Topic, &resp.Topics[i].Partitions[j])
		}
	}
	return resp, nil
}

// awaitLow has a row wait for the other replicas.
func (h *handlers) awaitLow(ctx context.Context, topic string, r *kmsg.DeleteRecordsResponseTopicPartition) {
	if r.ErrorCode != 0 {
		r.LowWatermark = -1
		return
	}
	alive := func(node int32) bool {
		b := h.d.Cluster.Image().Broker(node)
		return b != nil && b.Live()
	}
	low, err := h.d.Records.AwaitLow(ctx, topic, r.Partition, r.LowWatermark, alive)
	r.LowWatermark, r.ErrorCode = low, int16(wire.CodeOf(err))
}

func (h *handlers) deleteUpTo(topic string, index int32, offset int64) (int64, error) {
	img := h.d.Cluster.Image()
	t := img.TopicByName(topic)
	switch {
	case t == nil || index < 0 || int(index) >= len(t.Partitions):
		return -1, wire.UnknownTopicOrPartition
	case metadata.IsInternal(topic):
		return -1, wire.InvalidTopic
	}
	c := h.d.View.TopicConfig(img, topic)
	if c.CleanupCompact && !c.CleanupDelete {
		return -1, wire.PolicyViolation
	}
	if offset < -1 {
		return -1, wire.OffsetOutOfRange
	}
	return h.d.Records.DeleteRecords(topic, index, offset)
}
