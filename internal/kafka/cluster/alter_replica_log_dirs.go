package cluster

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// AlterReplicaLogDirs (34), versions 1 and 2 (KIP-113): moves replicas of this
// node between its log directories. The answer comes when the moves have begun;
// DescribeLogDirs tells how far they are. v2 is flexible.
//
// A partition that the node does not have yet cannot be directed in advance:
// Kafka remembers the directory for when it comes, Ottla answers the same
// REPLICA_NOT_AVAILABLE and forgets.
func (h *handlers) alterReplicaLogDirs() api.API {
	return api.Row(1, 2, h.serveAlterReplicaLogDirs,
		"A directory that is named for a replica which is not here yet is not remembered.")
}

func (h *handlers) serveAlterReplicaLogDirs(_ context.Context, _ *api.Conn, req *kmsg.AlterReplicaLogDirsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AlterReplicaLogDirsResponse)
	at := map[string]int{} // topics of several directories are one in the answer
	for i := range req.Dirs {
		d := &req.Dirs[i]
		for j := range d.Topics {
			topic := d.Topics[j].Topic
			n, seen := at[topic]
			if !seen {
				n, at[topic] = len(resp.Topics), len(resp.Topics)
				t := kmsg.NewAlterReplicaLogDirsResponseTopic()
				t.Topic = topic
				resp.Topics = append(resp.Topics, t)
			}
			for _, index := range d.Topics[j].Partitions {
				p := kmsg.NewAlterReplicaLogDirsResponseTopicPartition()
				p.Partition, p.ErrorCode = index, int16(wire.CodeOf(h.d.Storage.Move(topic, index, d.Dir)))
				resp.Topics[n].Partitions = append(resp.Topics[n].Partitions, p)
			}
		}
	}
	return resp, nil
}
