package data

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

// rackRig has node 1 in rack "a", which leads orders-0 with replicas on node 2 in
// rack "b" and node 3 in rack "c"; of these 2 has fetched everything and 3 nothing.
func rackRig(t *testing.T, selector string) *rig {
	t.Helper()
	r := newRigOn(t, vfs.NewMem(0), "/data", map[string]string{"replica.selector.class": selector})
	records := []metadata.Record{}
	for i, rack := range []string{"a", "b", "c"} {
		records = append(records, &metadata.RegisterBrokerRecord{BrokerID: int32(i + 1), Rack: &rack})
	}
	var err error
	r.image, _, err = r.image.With(8, 1, records...)
	must(t, err)
	p := r.parts["orders"][0]
	must(t, p.Become(partition.Role{Leader: 1, LeaderEpoch: 5, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}}))
	var a partition.Appended
	must(t, p.Append(batch("one", "two"), &partition.AppendArgs{Acks: 1}, &a))
	var f partition.Fetched
	must(t, p.FetchReplica(&partition.ReplicaArgs{Replica: 2, Synced: 2, BrokerEpoch: -1, FetchArgs: partition.FetchArgs{
		Offset: 2, CurrentLeaderEpoch: 5, LastFetchedEpoch: 5,
	}}, &f))
	return r
}

func fetchFrom(c *conn, rack string, version int16) kmsg.FetchResponseTopicPartition {
	c.t.Helper()
	q := kmsg.NewPtrFetchRequest()
	q.SetVersion(version)
	q.MaxBytes, q.MinBytes, q.Rack, q.SessionEpoch = 1<<20, 0, rack, -1
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = "orders", ordersID
	part := kmsg.NewFetchRequestTopicPartition()
	part.PartitionMaxBytes = 1 << 20
	topic.Partitions = append(topic.Partitions, part)
	q.Topics = append(q.Topics, topic)
	return c.ask(q).(*kmsg.FetchResponse).Topics[0].Partitions[0]
}

// TestConsumersAreSentToReplicasInTheirRack: KIP-392, as Kafka's selector decides.
func TestConsumersAreSentToReplicasInTheirRack(t *testing.T) {
	r := rackRig(t, "org.apache.kafka.common.replica.RackAwareReplicaSelector")
	c := r.dial()
	for _, w := range []struct {
		what, rack string
		version    int16
		want       int32
	}{
		{"the leader's rack", "a", 17, -1},
		{"a replica's rack", "b", 17, 2},
		{"a replica's rack, by name", "b", 12, 2},
		{"a replica that has nothing yet", "c", 17, -1},
		{"nobody's rack", "d", 17, -1},
		{"no rack", "", 17, -1},
	} {
		got := fetchFrom(c, w.rack, w.version)
		if got.ErrorCode != 0 || got.PreferredReadReplica != w.want || w.want >= 0 && len(got.RecordBatches) > 0 {
			t.Errorf("%s: error %d, preferred %d with %d bytes, want %d", w.what, got.ErrorCode, got.PreferredReadReplica, len(got.RecordBatches), w.want)
		}
	}
}

// TestNobodyIsSentAwayUnlessAsked: without the setting the leader serves all.
func TestNobodyIsSentAwayUnlessAsked(t *testing.T) {
	r := rackRig(t, "")
	if got := fetchFrom(r.dial(), "b", 17); got.PreferredReadReplica != -1 {
		t.Errorf("preferred is %d, want none", got.PreferredReadReplica)
	}
}

// follow makes a partition one that node 2 leads.
func (r *rig) follow(index int32) *partition.Partition {
	r.t.Helper()
	p := r.parts["orders"][index]
	must(r.t, p.Become(partition.Role{Leader: 2, LeaderEpoch: 6, PartitionEpoch: 2, Replicas: []int32{1, 2}, ISR: []int32{1, 2}}))
	return p
}

// TestAFollowerServesReadersUpToItsHighWatermark: and no others than those that may
// ask one (v11, KIP-392).
func TestAFollowerServesReadersUpToItsHighWatermark(t *testing.T) {
	r := newRig(t)
	p := r.follow(0)
	if _, err := p.AppendFollower(append(batch("one"), rebased(batch("two"), 1)...), &partition.FollowerArgs{LeaderEpoch: 6, HighWatermark: 1}); err != nil {
		t.Fatal(err)
	}
	c := r.dial()
	got := fetchFrom(c, "", 17)
	if values := valuesOf(t, got.RecordBatches); got.ErrorCode != 0 || got.HighWatermark != 1 || len(values) != 1 || values[0] != "one" {
		t.Errorf("a follower answers error %d, high watermark %d, %q; want the record below 1", got.ErrorCode, got.HighWatermark, values)
	}
	if got := fetchFrom(c, "", 10); got.ErrorCode != 6 {
		t.Errorf("a reader that does not know of followers gets error %d, want NOT_LEADER_OR_FOLLOWER", got.ErrorCode)
	}
}

// rebased is a batch at another offset.
func rebased(b []byte, offset int64) []byte {
	record.SetBaseOffset(b, offset)
	return b
}
