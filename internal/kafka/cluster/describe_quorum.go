package cluster

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Quorum is what the metadata quorum tells of itself.
type Quorum struct {
	Leader            int32 // -1 when none is known
	Epoch             int32
	HighWatermark     int64
	Voters, Observers []QuorumReplica
}

// QuorumReplica is a member of the quorum; -1 stands for what is not known.
type QuorumReplica struct {
	ID                          int32
	DirectoryID                 uuid.UUID
	LogEndOffset                int64
	LastFetchMs, LastCaughtUpMs int64
}

// DescribeQuorum (55), versions 0 to 2 (KIP-595).
//
//	v1  when a replica fetched last and had caught up last (KIP-836)
//	v2  directory ids, error texts, the nodes with their listeners (KIP-853)
//
// There is one quorum, that of __cluster_metadata-0; any other partition is
// refused.
func (h *handlers) describeQuorum() api.API {
	return api.Row(0, 2, h.serveDescribeQuorum,
		"A voter's endpoints are the node's Kafka listeners: one port serves clients and controllers.")
}

// metadataTopic is the quorum's log.
const metadataTopic = "__cluster_metadata"

func (h *handlers) serveDescribeQuorum(ctx context.Context, c *api.Conn, req *kmsg.DescribeQuorumRequest) (kmsg.Response, error) {
	if leader := h.d.Quorum().Leader; h.d.Members != nil && leader >= 0 && leader != h.d.NodeID && (c == nil || c.Node < 0) && asksForQuorum(req) {
		// How far the others are only the leader knows. Without it this node
		// tells what it knows.
		if resp, err := h.d.Members.Forward(ctx, leader, req); err == nil {
			return resp, nil
		}
	}
	resp := req.ResponseKind().(*kmsg.DescribeQuorumResponse)
	resp.ErrorMessage = kmsg.StringPtr("")
	if !asksForQuorum(req) {
		for i := range req.Topics {
			t := kmsg.NewDescribeQuorumResponseTopic()
			t.Topic = req.Topics[i].Topic
			for _, q := range req.Topics[i].Partitions {
				p := kmsg.NewDescribeQuorumResponseTopicPartition()
				p.Partition, p.ErrorCode = q.Partition, int16(wire.UnknownTopicOrPartition)
				p.ErrorMessage = kmsg.StringPtr(api.KafkaText(wire.UnknownTopicOrPartition))
				t.Partitions = append(t.Partitions, p)
			}
			resp.Topics = append(resp.Topics, t)
		}
		return resp, nil
	}
	q := h.d.Quorum()
	p := kmsg.NewDescribeQuorumResponseTopicPartition()
	p.ErrorMessage = kmsg.StringPtr("")
	p.LeaderID, p.LeaderEpoch, p.HighWatermark = q.Leader, q.Epoch, q.HighWatermark
	p.CurrentVoters, p.Observers = replicaStates(q.Voters), replicaStates(q.Observers)
	t := kmsg.NewDescribeQuorumResponseTopic()
	t.Topic, t.Partitions = metadataTopic, append(t.Partitions, p)
	resp.Topics = append(resp.Topics, t)
	h.quorumNodes(&q, resp)
	return resp, nil
}

// asksForQuorum: exactly the one partition that has a quorum.
func asksForQuorum(req *kmsg.DescribeQuorumRequest) bool {
	return len(req.Topics) == 1 && req.Topics[0].Topic == metadataTopic &&
		len(req.Topics[0].Partitions) == 1 && req.Topics[0].Partitions[0].Partition == 0
}

func replicaStates(list []QuorumReplica) []kmsg.DescribeQuorumResponseTopicPartitionReplicaState {
	var out []kmsg.DescribeQuorumResponseTopicPartitionReplicaState
	for _, m := range list {
		r := kmsg.NewDescribeQuorumResponseTopicPartitionReplicaState()
		r.ReplicaID, r.ReplicaDirectoryID, r.LogEndOffset = m.ID, m.DirectoryID, m.LogEndOffset
		r.LastFetchTimestamp, r.LastCaughtUpTimestamp = m.LastFetchMs, m.LastCaughtUpMs
		out = append(out, r)
	}
	return out
}

// quorumNodes tells where the voters are reached.
func (h *handlers) quorumNodes(q *Quorum, resp *kmsg.DescribeQuorumResponse) {
	img := h.d.Cluster.Image()
	for _, v := range q.Voters {
		n := kmsg.NewDescribeQuorumResponseNode()
		n.NodeID = v.ID
		if b := img.Broker(v.ID); b != nil {
			for i := range b.Endpoints {
				l := kmsg.NewDescribeQuorumResponseNodeListener()
				l.Name, l.Host, l.Port = b.Endpoints[i].Name, b.Endpoints[i].Host, b.Endpoints[i].Port
				n.Listeners = append(n.Listeners, l)
			}
		}
		resp.Nodes = append(resp.Nodes, n)
	}
}
