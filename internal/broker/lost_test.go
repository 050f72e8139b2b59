package broker

import (
	"testing"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// A directory that is gone for good takes its partitions with it, visibly: they
// are not made anew, and their topics can be deleted and made again.
func TestWhatLiesInADirectoryThatIsGoneIsNotMadeAnew(t *testing.T) {
	disk := vfs.NewMem(1 << 30)
	r := start(t, disk, 2)
	r.create("orders", 2)
	r.produce("orders", 0, "x")
	r.produce("orders", 1, "x")
	r.stop()
	r = start(t, disk, 1) // log.dirs names it no more
	r.awaitRecovery()
	for _, again := range []bool{false, true} {
		if _, code := r.broker.ByName([]byte("orders"), 1); code != wire.KafkaStorageError {
			t.Errorf("what lay there: %v, want KAFKA_STORAGE_ERROR", code)
		}
		if o := r.find("orders", 0).Offsets(); o.HighWatermark != 1 {
			t.Errorf("the rest: %+v", o)
		}
		if again {
			break
		}
		r.stop()
		r = start(t, disk, 1)
		r.awaitRecovery()
	}
	r.remove("orders")
	r.create("orders", 2)
	for i := range int32(2) {
		if a := r.produce("orders", i, "y"); a.BaseOffset != 0 {
			t.Errorf("orders-%d, made again, begins at %d", i, a.BaseOffset)
		}
	}
	r.stop()

	// It comes back after all: what it holds belongs to a topic that is no more.
	r = start(t, disk, 2)
	defer r.stop()
	r.awaitRecovery()
	if o := r.find("orders", 1).Offsets(); o.HighWatermark != 1 {
		t.Errorf("orders-1 after its old directory came back: %+v", o)
	}
}

// A node that comes back on an empty disk has none of the directories that the
// metadata name for it. What nobody counts on it fetches anew; what it led, or
// was in sync with, stays lost until somebody says otherwise.
func TestAReplicaNobodyCountsOnBeginsAnewWhereItsDirectoryIsGone(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	for name, c := range map[string]struct {
		change func(*metadata.Partition)
		want   int
	}{
		"out of sync":       {func(*metadata.Partition) {}, 0},
		"it leads":          {func(p *metadata.Partition) { p.Leader = 1 }, lost},
		"it is in sync":     {func(p *metadata.Partition) { p.ISR = []int32{2, 1} }, lost},
		"it is eligible":    {func(p *metadata.Partition) { p.ELR = []int32{1} }, lost},
		"it is where it is": {func(p *metadata.Partition) { p.Directories[1] = r.broker.o.Directories[0] }, 0},
	} {
		mp := &metadata.Partition{Replicas: []int32{2, 1}, Directories: []uuid.UUID{{2}, {0xee}}, Leader: 2, ISR: []int32{2}}
		c.change(mp)
		at, onDisk := r.broker.firstHome(mp, "orders", map[spot]int{})
		if at.index != c.want || onDisk {
			t.Errorf("%s: in directory %d (found %v), want %d", name, at.index, onDisk, c.want)
		}
	}
	if !r.broker.replaced.Load() {
		t.Error("the controller is not told where they lie now")
	}
}

// A replica that was counted on when its node came back without its directory
// begins anew as soon as nobody counts on it: not at the next start.
func TestAReplicaBeginsAnewOnceNobodyCountsOnIt(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	b := r.broker
	mt := &metadata.Topic{Name: "orders", ID: uuid.UUID{1}}
	mp := &metadata.Partition{
		Topic: mt, Replicas: []int32{2, 1}, Directories: []uuid.UUID{{2}, {0xee}}, Leader: 2, ISR: []int32{2}, ELR: []int32{1},
	}
	mt.Partitions = []*metadata.Partition{mp}
	b.create(b.Image(), []*metadata.Topic{mt}, map[spot]int{})
	if _, code := b.AnyByID(mt.ID, 0); code != wire.KafkaStorageError {
		t.Errorf("while it is eligible to lead: %v, want KAFKA_STORAGE_ERROR", code)
	}
	next := *mp
	next.ISR, next.ELR, next.PartitionEpoch = []int32{2, 3}, nil, 1
	b.change(b.Image(), []*metadata.Partition{&next})
	p, code := b.AnyByID(mt.ID, 0)
	if code != wire.None || p.Describe().Dir != b.dirs[0].Path() {
		t.Fatalf("once it is not: %v", code)
	}
	if !b.replaced.Load() || !b.misplaced {
		t.Error("the controller is not told where it lies now")
	}
}

// A replica that began anew, and whose node started again before the controller
// heard of it, goes on with what it has.
func TestAReplicaThatBeganAnewGoesOn(t *testing.T) {
	r := start(t, vfs.NewMem(0), 1)
	defer r.stop()
	mp := &metadata.Partition{Replicas: []int32{2, 1}, Directories: []uuid.UUID{{2}, {0xee}}, Leader: 2, ISR: []int32{2}}
	at, onDisk := r.broker.firstHome(mp, "orders", map[spot]int{{"orders", 0}: 0})
	if at.index != 0 || !onDisk || !r.broker.replaced.Load() {
		t.Errorf("in directory %d, found %v", at.index, onDisk)
	}
	mp.ELR = []int32{1}
	if at, onDisk = r.broker.firstHome(mp, "orders", map[spot]int{{"orders", 0}: 0}); at.index != lost || onDisk {
		t.Errorf("one that is counted on: in directory %d, found %v", at.index, onDisk)
	}
}
