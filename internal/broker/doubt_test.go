package broker

import (
	"os"
	"testing"

	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// torn is a partition's log on disk whose last bytes cannot be read.
func torn(t *testing.T) (*rig, *held) {
	t.Helper()
	f := vfs.NewMem(0)
	r := start(t, f, 1)
	r.create("orders", 1)
	r.produce("orders", 0, "one")
	d := r.find("orders", 0).Describe()
	path := r.dirs[0].Path()
	r.stop()
	file, err := f.OpenFile(path+"/orders-0/00000000000000000000.log", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	size, err := file.Size()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte("no batch"), size); err != nil {
		t.Fatal(err)
	}
	r = start(t, vfs.NewMem(0), 1) // for its rooms
	t.Cleanup(r.stop)
	dir, err := log.OpenDir(log.DirOptions{FS: f, Path: path, Now: r.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close(nil) })
	h := &held{broker: r.broker, id: log.Ident{Topic: "orders", ID: d.ID}, node: 1, mended: true, p: partition.New(partition.Options{
		Topic: "orders", ID: d.ID, NodeID: 1, Now: r.now, Config: r.broker.configOf(r.broker.Image(), "orders"),
		Rot: func(*partition.Partition, int64) {},
	})}
	h.at.Store(&home{0, dir})
	return r, h
}

// TestAPartitionInDoubtTakesNoRole: not before it is settled; then it takes the last
// one that came.
func TestAPartitionInDoubtTakesNoRole(t *testing.T) {
	r, h := torn(t)
	role := partition.Role{Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1}}
	if err := h.become(role); err != nil {
		t.Fatal(err)
	}
	h.leads.Store(true)
	h.open(r.broker.o.Logger)
	role.LeaderEpoch = 7
	if err := h.become(role); err != nil {
		t.Fatal(err)
	}
	if tail, code := h.tail(); code != wire.None || tail.End != 1 || !tail.Doubted {
		t.Errorf("others hear that its log goes to %+v, %s", tail, code.Name())
	}
	if _, code := h.serve(false); code != wire.NotLeaderOrFollower || !h.p.Doubted() || h.p.Offsets().LeaderEpoch == 7 {
		t.Fatalf("it is served with %s in epoch %d, in doubt %v", code.Name(), h.p.Offsets().LeaderEpoch, h.p.Doubted())
	}
	h.settle(r.broker.o.Logger)
	h.settle(r.broker.o.Logger)
	if p, code := h.serve(false); code != wire.None || p.Offsets().LeaderEpoch != 7 {
		t.Errorf("after that it is served with %s", code.Name())
	}
}

// TestADoubtLastsUntilItIsSettled: a node that stops before that comes back with it,
// and does not once it took its role.
func TestADoubtLastsUntilItIsSettled(t *testing.T) {
	r, h := torn(t)
	role := partition.Role{Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1}}
	again := func(want wire.Code) {
		t.Helper()
		h.state.Store(waiting)
		if err := h.become(role); err != nil {
			t.Fatal(err)
		}
		h.leads.Store(true)
		h.open(r.broker.o.Logger)
		if _, code := h.serve(false); code != want {
			t.Fatalf("it is served with %s, want %s", code.Name(), want.Name())
		}
	}
	for range 3 {
		again(wire.NotLeaderOrFollower)
		if err := h.close(); err != nil {
			t.Fatal(err)
		}
	}
	again(wire.NotLeaderOrFollower)
	h.settle(r.broker.o.Logger)
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	again(wire.None)
}

// TestAReplicaAloneIsNeverInDoubt: nor is one where nobody would end the doubt.
func TestAReplicaAloneIsNeverInDoubt(t *testing.T) {
	for _, mended := range []bool{false, true} {
		r, h := torn(t)
		h.mended = mended
		replicas := []int32{1, 2}
		if mended {
			replicas = []int32{1}
		}
		if err := h.become(partition.Role{Leader: 1, Replicas: replicas, ISR: []int32{1}}); err != nil {
			t.Fatal(err)
		}
		h.leads.Store(true)
		h.open(r.broker.o.Logger)
		if _, code := h.serve(false); code != wire.None || !h.p.Doubted() {
			t.Errorf("replicas %v: it is served with %s, in doubt %v", replicas, code.Name(), h.p.Doubted())
		}
	}
}
