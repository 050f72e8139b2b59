package cluster

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
	"ottla/internal/wire"
)

func quorumOf(topic string, partitions ...int32) *kmsg.DescribeQuorumRequest {
	req := kmsg.NewPtrDescribeQuorumRequest()
	rt := kmsg.NewDescribeQuorumRequestTopic()
	rt.Topic = topic
	for _, p := range partitions {
		rp := kmsg.NewDescribeQuorumRequestTopicPartition()
		rp.Partition = p
		rt.Partitions = append(rt.Partitions, rp)
	}
	req.Topics = append(req.Topics, rt)
	return req
}

func TestTheQuorumIsDescribedAsTheVersionHasIt(t *testing.T) {
	n := newNode(t, nil)
	n.quorum = Quorum{Leader: 1, Epoch: 7, HighWatermark: 99, Voters: []QuorumReplica{
		{ID: 1, DirectoryID: uuid.UUID{3}, LogEndOffset: 100, LastFetchMs: 5, LastCaughtUpMs: 6},
		{ID: 9, LogEndOffset: -1, LastFetchMs: -1, LastCaughtUpMs: -1},
	}, Observers: []QuorumReplica{{ID: 2, LogEndOffset: 90}}}
	for v := int16(0); v <= 2; v++ {
		resp := ask[*kmsg.DescribeQuorumResponse](n, quorumOf("__cluster_metadata", 0), v)
		p := resp.Topics[0].Partitions[0]
		if resp.ErrorCode != 0 || p.ErrorCode != 0 || p.LeaderID != 1 || p.LeaderEpoch != 7 || p.HighWatermark != 99 ||
			len(p.CurrentVoters) != 2 || len(p.Observers) != 1 || p.CurrentVoters[0].LogEndOffset != 100 {
			t.Errorf("v%d: %+v", v, resp)
		}
		if got := p.CurrentVoters[0]; (got.LastCaughtUpTimestamp == 6) != (v >= 1) || (got.ReplicaDirectoryID != [16]byte{}) != (v >= 2) {
			t.Errorf("v%d: voter %+v", v, got)
		}
		if v < 2 {
			continue
		}
		if len(resp.Nodes) != 2 || len(resp.Nodes[0].Listeners) != 2 || resp.Nodes[0].Listeners[1].Host != "host1" || len(resp.Nodes[1].Listeners) != 0 {
			t.Errorf("nodes %+v", resp.Nodes)
		}
	}
}

func TestOtherPartitionsHaveNoQuorum(t *testing.T) {
	n := newNode(t, nil)
	for what, req := range map[string]*kmsg.DescribeQuorumRequest{
		"another topic": quorumOf("orders", 0), "another partition": quorumOf("__cluster_metadata", 1), "two partitions": quorumOf("__cluster_metadata", 0, 1),
	} {
		resp := ask[*kmsg.DescribeQuorumResponse](n, req, 2)
		for _, p := range resp.Topics[0].Partitions {
			if wire.Code(p.ErrorCode) != wire.UnknownTopicOrPartition {
				t.Errorf("%s: %+v", what, p)
			}
		}
		if len(resp.Topics[0].Partitions) != len(req.Topics[0].Partitions) || resp.Topics[0].Topic != req.Topics[0].Topic {
			t.Errorf("%s: %+v", what, resp.Topics)
		}
	}
}
