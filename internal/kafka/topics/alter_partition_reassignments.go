package topics

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// AlterPartitionReassignments (45), versions 0 and 1 (KIP-455): begins, replaces
// or (null replicas) takes back the reassignment of partitions to brokers.
// v1 may insist on the replication factor (KIP-860).
func (h *handlers) alterPartitionReassignments() api.API {
	return api.Row(0, 1, h.serveAlterPartitionReassignments)
}

func (h *handlers) serveAlterPartitionReassignments(ctx context.Context, _ *api.Conn, req *kmsg.AlterPartitionAssignmentsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AlterPartitionAssignmentsResponse)
	resp.AllowReplicationFactorChange = req.Version < 1 || req.AllowReplicationFactorChange
	cmd := controller.ReassignPartitions{KeepFactor: !resp.AllowReplicationFactorChange}
	for i := range req.Topics {
		for _, p := range req.Topics[i].Partitions {
			cmd.Partitions = append(cmd.Partitions, controller.Reassignment{
				TopicPartition: controller.TopicPartition{Topic: req.Topics[i].Topic, Index: p.Partition}, Replicas: p.Replicas,
			})
		}
	}
	results, err := do[[]controller.Result](ctx, h.d.Cluster, req.TimeoutMillis, cmd)
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = int16(wire.CodeOf(err)), kmsg.StringPtr(wire.MessageOf(err))
		return resp, nil
	}
	for i := range req.Topics {
		t := kmsg.NewAlterPartitionAssignmentsResponseTopic()
		t.Topic = req.Topics[i].Topic
		for _, q := range req.Topics[i].Partitions {
			p := kmsg.NewAlterPartitionAssignmentsResponseTopicPartition()
			p.Partition, p.ErrorCode = q.Partition, int16(results[0].Code)
			p.ErrorMessage = text(results[0].Code, results[0].Message)
			t.Partitions, results = append(t.Partitions, p), results[1:]
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}
