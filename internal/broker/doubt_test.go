package broker

import (
	"errors"
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

// TestADoubtEndsForAllStartsOnceItIsSettled: until then each finds it again, though
// nothing is torn any more.
func TestADoubtEndsForAllStartsOnceItIsSettled(t *testing.T) {
	r, h := torn(t)
	again := func() {
		t.Helper()
		if err := errors.Join(h.close(), h.become(partition.Role{})); err != nil {
			t.Fatal(err)
		}
		h.state.Store(waiting)
		if err := h.become(partition.Role{Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1}}); err != nil {
			t.Fatal(err)
		}
		h.open(r.broker.o.Logger)
	}
	for range 3 {
		again()
		if at := h.state.Load(); at != doubted {
			t.Fatalf("it stands at %d, want in doubt", at)
		}
	}
	r.broker.table.change(nil, []*topic{{name: "orders", id: h.p.Describe().ID, parts: []*held{h}}})
	r.broker.Trust(h.p)
	if at := h.state.Load(); at != open {
		t.Fatalf("it stands at %d once it is trusted, want open", at)
	}
	again()
	if at := h.state.Load(); at != open || h.p.Doubted() {
		t.Errorf("at the next start it stands at %d, in doubt %v", at, h.p.Doubted())
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	if code := wire.CodeOf(h.p.Trust()); code != wire.NotLeaderOrFollower {
		t.Errorf("a closed one is trusted with %s", code.Name())
	}
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
