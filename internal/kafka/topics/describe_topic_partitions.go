package topics

import (
	"cmp"
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// DescribeTopicPartitions (75), version 0 (KIP-966): topics in order of name,
// partitions up to a limit, then a cursor from which the next request goes on.
// The only API that shows eligible leader replicas.
//
// Beside Kafka's fields it tells, where a tagged field of ours asks for that, why
// a partition is as it is, and which have leaders that may lack records (history.go).
func (h *handlers) describeTopicPartitions() api.API {
	row := api.Row(0, 0, h.serveDescribeTopicPartitions)
	row.Directs = true
	return row
}

func (h *handlers) serveDescribeTopicPartitions(ctx context.Context, _ *api.Conn, req *kmsg.DescribeTopicPartitionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeTopicPartitionsResponse)
	img := h.d.Cluster.Image()
	names := topicNames(req, img)
	from := int32(0)
	if c := req.Cursor; c != nil {
		if c.Partition < 0 || len(req.Topics) > 0 && !slices.Contains(names, c.Topic) {
			return refusePage(resp, names), nil
		}
		at, found := slices.BinarySearch(names, c.Topic)
		names = names[at:]
		if found {
			from = c.Partition
		}
	}
	h.tellLosses(ctx, req, resp)
	limit := h.d.View.Int(img, "max.request.partition.size.limit")
	left := int32(max(1, min(limit, int64(req.ResponsePartitionLimit))))
	for _, name := range names {
		if left == 0 {
			resp.NextCursor = cursorAt(name, 0)
			break
		}
		t, next := describeTopic(img, name, from, left)
		h.tellHistory(ctx, req, &t)
		resp.Topics = append(resp.Topics, t)
		if next >= 0 {
			resp.NextCursor = cursorAt(name, next)
			break
		}
		left -= int32(len(t.Partitions))
		from = 0
	}
	return resp, nil
}

// topicNames are the topics asked for (none: all), sorted, each once.
func topicNames(req *kmsg.DescribeTopicPartitionsRequest, img *metadata.Image) []string {
	var names []string
	if len(req.Topics) == 0 {
		for t := range img.Topics() {
			names = append(names, t.Name)
		}
		return names
	}
	for i := range req.Topics {
		names = append(names, req.Topics[i].Topic)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func refusePage(resp *kmsg.DescribeTopicPartitionsResponse, names []string) kmsg.Response {
	for _, name := range names {
		t := kmsg.NewDescribeTopicPartitionsResponseTopic()
		t.Topic, t.ErrorCode, t.AuthorizedOperations = kmsg.StringPtr(name), int16(wire.InvalidRequest), api.OperationsUnset
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

func cursorAt(topic string, partition int32) *kmsg.DescribeTopicPartitionsResponseNextCursor {
	c := kmsg.NewDescribeTopicPartitionsResponseNextCursor()
	c.Topic, c.Partition = topic, partition
	return &c
}

// describeTopic lists up to limit partitions from one on; next is the first
// that no longer fits, -1 when all did.
func describeTopic(img *metadata.Image, name string, from, limit int32) (t kmsg.DescribeTopicPartitionsResponseTopic, next int32) {
	t = kmsg.NewDescribeTopicPartitionsResponseTopic()
	t.Topic, t.IsInternal, t.AuthorizedOperations = kmsg.StringPtr(name), metadata.IsInternal(name), api.AllTopicOperations
	found := img.TopicByName(name)
	if found == nil {
		t.ErrorCode = int16(wire.UnknownTopicOrPartition)
		if err := controller.CheckTopicName(name); err != nil {
			t.ErrorCode = int16(wire.CodeOf(err))
		}
		return t, -1
	}
	t.TopicID = found.ID
	end := int32(len(found.Partitions))
	from = min(from, end)
	stop := min(end-from, limit) + from
	for _, p := range found.Partitions[from:stop] {
		t.Partitions = append(t.Partitions, describePartition(img, p))
	}
	if stop < end {
		return t, stop
	}
	return t, -1
}

func describePartition(img *metadata.Image, p *metadata.Partition) kmsg.DescribeTopicPartitionsResponseTopicPartition {
	r := kmsg.NewDescribeTopicPartitionsResponseTopicPartition()
	r.Partition, r.LeaderID, r.LeaderEpoch = p.Index, p.Leader, p.LeaderEpoch
	r.Replicas, r.ISR = p.Replicas, p.ISR
	// Lists of ours are never null: Java's tools print null ones as "N/A".
	r.EligibleLeaderReplicas = append([]int32{}, p.ELR...)
	r.LastKnownELR = append([]int32{}, p.LastELR...)
	for _, id := range p.Replicas {
		if b := img.Broker(id); b == nil || b.Fenced {
			r.OfflineReplicas = append(r.OfflineReplicas, id)
		}
	}
	if leader := img.Broker(p.Leader); leader == nil || leader.Fenced {
		r.ErrorCode = int16(wire.LeaderNotAvailable)
		r.LeaderID = -1
	}
	return r
}

func compareNames(a, b string) int { return cmp.Compare(a, b) }
