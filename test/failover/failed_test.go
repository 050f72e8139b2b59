package failover

import (
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/test/rig/trio"
)

// TestANodeWhoseDiskFailedAnswersForNoGroup: it hears no more of the metadata, so
// another may coordinate the group already, and have newer offsets, while this one
// still stops.
func TestANodeWhoseDiskFailedAnswersForNoGroup(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var faults ottla.Faults
	c := trio.Start(t, trio.Options{Faults: map[int]*ottla.Faults{3: &faults}})
	cl := c.Client()
	adm := kadm.NewClient(cl)
	req := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "orders", -1, -1
	topic.ReplicaAssignment = []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Replicas: []int32{3, 1, 2}}}
	req.Topics = append(req.Topics, topic)
	if resp, err := req.RequestWith(ctx, cl); err != nil || resp.Topics[0].ErrorCode != 0 {
		t.Fatalf("%v, %+v", err, resp)
	}
	group := groupOf(ctx, t, cl, 3)
	var at kadm.Offsets
	at.AddOffset("orders", 0, 5, -1)
	if err := adm.CommitAllOffsets(ctx, group, at); err != nil {
		t.Fatal(err)
	}
	third, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()[2]))
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	ask := func() error {
		req := kmsg.NewPtrOffsetFetchRequest()
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = group
		req.Groups = append(req.Groups, g)
		resp, err := third.SeedBrokers()[0].Request(ctx, req)
		if err != nil {
			t.Fatalf("ask node 3: %v", err)
		}
		return kerr.ErrorForCode(resp.(*kmsg.OffsetFetchResponse).Groups[0].ErrorCode)
	}
	if err := ask(); err != nil {
		t.Fatalf("while all is well node 3 says %v", err)
	}
	faults.FailNextSync()
	written := make(chan error, 1)
	cl.Produce(ctx, &kgo.Record{Topic: "orders", Value: []byte("one")}, func(_ *kgo.Record, err error) { written <- err })
	select {
	case <-c.Node(3).Failed():
	case <-ctx.Done():
		t.Fatal("node 3 never failed")
	}
	if err := ask(); err != kerr.NotCoordinator {
		t.Errorf("the failed node says %v, want %v", err, kerr.NotCoordinator)
	}
	if err := c.Bury(3); err == nil {
		t.Error("a node whose disk failed is closed as if nothing were")
	}
	if err := <-written; err != nil {
		t.Errorf("with two nodes left: %v", err)
	}
}

// groupOf is the name of a group that a node coordinates.
func groupOf(ctx context.Context, t *testing.T, cl *kgo.Client, node int32) string {
	t.Helper()
	for i := 0; ; i++ {
		group := fmt.Sprintf("group-%d", i)
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKeys = []string{group}
		resp, err := req.RequestWith(ctx, cl)
		if err != nil {
			t.Fatalf("node %d coordinates none of %d groups: %v", node, i, err)
		}
		if a := resp.Coordinators[0]; a.ErrorCode == 0 && a.NodeID == node { // at first there is no coordinator at all
			return group
		}
	}
}
