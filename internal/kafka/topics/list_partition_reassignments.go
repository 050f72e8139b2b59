package topics

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
)

// ListPartitionReassignments (46), version 0 (KIP-455): the reassignments under
// way, of the partitions named or (null) of all. What is not being reassigned,
// or does not exist, is left out.
func (h *handlers) listPartitionReassignments() api.API {
	return api.Row(0, 0, h.serveListPartitionReassignments,
		"Topics and partitions are listed in order.")
}

func (h *handlers) serveListPartitionReassignments(_ context.Context, _ *api.Conn, req *kmsg.ListPartitionReassignmentsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
	img := h.d.Cluster.Image()
	if req.Topics == nil {
		for t := range img.Topics() {
			addReassigning(resp, t.Name, t.Partitions)
		}
		return resp, nil
	}
	for i := range req.Topics {
		q := &req.Topics[i]
		t := img.TopicByName(q.Topic)
		if t == nil {
			continue
		}
		var asked []*metadata.Partition
		for _, index := range q.Partitions {
			if index >= 0 && int(index) < len(t.Partitions) {
				asked = append(asked, t.Partitions[index])
			}
		}
		addReassigning(resp, t.Name, asked)
	}
	return resp, nil
}

// addReassigning adds those of a topic's partitions that are being reassigned.
func addReassigning(resp *kmsg.ListPartitionReassignmentsResponse, topic string, partitions []*metadata.Partition) {
	t := kmsg.NewListPartitionReassignmentsResponseTopic()
	t.Topic = topic
	for _, p := range partitions {
		if len(p.Adding)+len(p.Removing) == 0 {
			continue
		}
		r := kmsg.NewListPartitionReassignmentsResponseTopicPartition()
		r.Partition, r.Replicas, r.AddingReplicas, r.RemovingReplicas = p.Index, p.Replicas, p.Adding, p.Removing
		t.Partitions = append(t.Partitions, r)
	}
	if len(t.Partitions) > 0 {
		resp.Topics = append(resp.Topics, t)
	}
}
