package broker

import (
	"slices"
	"strings"
	"testing"

	"ottla/internal/controller"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/sim"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// The node is there while its logs recover: what is ready serves, what is not
// says so, new topics serve at once, and a topic that is deleted while it
// recovers is gone.
func TestNodeServesWhileItRecovers(t *testing.T) {
	d := sim.NewDisk(1)
	r := start(t, d, 1)
	r.create("slow", 1)
	r.create("doomed", 1)
	r.create("quick", 1)
	for _, name := range []string{"slow", "doomed", "quick"} {
		r.produce(name, 0, "x")
	}
	r.stop()
	held := make(chan struct{})
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Kind == sim.OpReadDir && (strings.Contains(op.Name, "slow-0") || strings.Contains(op.Name, "doomed-0")) {
			<-held
		}
		return sim.Action{}
	})
	r = start(t, d, 1)
	if n := r.broker.Recovering(); n < 2 {
		t.Errorf("%d partitions are recovering, want at least the 2 that are held up", n)
	}
	if _, code := r.broker.ByName([]byte("slow"), 0); code != wire.NotLeaderOrFollower {
		t.Errorf("a recovering partition answers %v, want NOT_LEADER_OR_FOLLOWER", code)
	}
	r.create("new", 1)
	r.produce("new", 0, "x")
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		r.remove("doomed")
	}()
	close(held)
	<-gone
	r.awaitRecovery()
	if n := r.broker.Recovering(); n != 0 {
		t.Errorf("%d partitions are still recovering", n)
	}
	if a := r.produce("slow", 0, "y"); a.BaseOffset != 1 {
		t.Errorf("the slow one goes on at %d", a.BaseOffset)
	}
	if r.dirs[0].Holds("doomed", 0) {
		t.Error("the topic that was deleted while it recovered is still on disk")
	}
	r.stop()
}

func TestInternalTopicsOpenFirst(t *testing.T) {
	mk := func(name string, n int32) *held {
		return &held{id: log.Ident{Topic: name, Partition: n}, internal: metadata.IsInternal(name)}
	}
	hs := []*held{mk("a", 1), mk("__transaction_state", 0), mk("a", 0), mk("__consumer_offsets", 3), mk("__aa", 0)}
	slices.SortFunc(hs, byUrgency)
	var got []string
	for _, h := range hs {
		got = append(got, h.id.Topic)
	}
	if want := []string{"__consumer_offsets", "__transaction_state", "__aa", "a", "a"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// Close while logs recover waits for those under way and leaves the rest.
func TestCloseDuringRecovery(t *testing.T) {
	f := vfs.NewMem(0)
	r := start(t, f, 1)
	r.create("wide", 300)
	for i := range int32(300) {
		r.produce("wide", i, "x")
	}
	r.stop()
	start(t, f, 1).stop()
	r = start(t, f, 1)
	defer r.stop()
	r.awaitRecovery()
	for i := range int32(300) {
		if o := r.find("wide", i).Offsets(); o.LogEnd != 1 {
			t.Fatalf("wide-%d has %d records", i, o.LogEnd)
		}
	}
}

// Replicas that move here are opened, those that move away are deleted.
func TestReplicasComeAndGo(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	c := r.create("orders", 2)
	r.produce("orders", 0, "x")
	img := r.broker.Image()
	other := func(replicas []int32, leader, epoch int32) []*metadata.Partition {
		return []*metadata.Partition{{Topic: img.TopicByID(c.ID), Index: 0, Replicas: replicas, ISR: replicas, Leader: leader, LeaderEpoch: epoch, PartitionEpoch: epoch}}
	}
	r.broker.change(img, other([]int32{2}, 2, 50))
	if _, code := r.broker.ByName([]byte("orders"), 0); code != wire.NotLeaderOrFollower {
		t.Errorf("a partition that moved away answers %v", code)
	}
	if r.dirs[0].Holds("orders", 0) {
		t.Error("its log stayed")
	}
	r.broker.change(img, other([]int32{2}, 2, 51)) // again: nothing to do
	r.broker.change(img, other([]int32{1, 2}, 2, 52))
	if _, code := r.broker.ByName([]byte("orders"), 0); code != wire.NotLeaderOrFollower {
		t.Errorf("a follower answers %v", code)
	}
	r.broker.change(img, other([]int32{1, 2}, 1, 53))
	if p, code := r.broker.ByName([]byte("orders"), 0); code != wire.None || p.Offsets().LeaderEpoch != 53 {
		t.Errorf("led here again it answers %v", code)
	}
	r.broker.change(img, []*metadata.Partition{{Topic: &metadata.Topic{Name: "ghost", ID: uuid.UUID{9}}, Index: 0}})
	r.stop()
}

// A partition whose directory belongs to another topic says so and lives
// beside the others.
func TestPartitionThatCannotBeOpened(t *testing.T) {
	f := vfs.NewMem(0)
	r := start(t, f, 1)
	r.create("a", 1)
	r.produce("a", 0, "x")
	r.create("b", 1)
	if err := f.MkdirAll("/data0/c-0", 0o755); err != nil {
		t.Fatal(err)
	}
	r.produce("b", 0, "x")
	r.stop()
	// Damage that is not the directory's: the log of a loses its identity.
	file, err := f.OpenFile("/data0/a-0/partition.metadata", 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAACQ\n"), 0); err != nil {
		t.Fatal(err)
	}
	file.Close()
	r = start(t, f, 1)
	defer r.stop()
	r.awaitRecovery()
	r.produce("b", 0, "y")
	if _, code := r.broker.ByName([]byte("a"), 0); code == wire.None {
		// Its directory was set aside as a stray; the topic begins anew.
		if _, err := f.Stat("/data0/a-0"); err == nil {
			t.Error("a serves from a directory of another topic")
		}
	}
	if res := r.do(controller.DeleteTopics{Topics: []controller.TopicRef{{Name: "a"}}}).([]controller.DeletedTopic)[0]; res.Code != wire.None {
		t.Errorf("deleting it: %+v", res)
	}
}
