package insync

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"ottla/internal/controller"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/vfs/faulty"
	"ottla/internal/wire"
)

// rig is a node that leads one partition with followers 2 and 3, and a controller
// whose answers the test gives.
type rig struct {
	t      *testing.T
	p      *partition.Partition
	k      *Keeper
	image  *metadata.Image
	ticks  chan time.Time
	asked  chan controller.AlterPartition
	yields chan controller.YieldLeads
	faults faulty.Faults
	answer chan any // an error, or the code for every partition

	mu  sync.Mutex
	now time.Time
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, ticks: make(chan time.Time), asked: make(chan controller.AlterPartition), yields: make(chan controller.YieldLeads), answer: make(chan any), now: time.UnixMilli(1_700_000_000_000)}
	dir, err := log.OpenDir(log.DirOptions{FS: faulty.Over(vfs.NewMem(0), &r.faults), Path: "/data", Now: r.time})
	must(t, err)
	var records []metadata.Record
	for id := int32(1); id <= 3; id++ {
		records = append(records, &metadata.RegisterBrokerRecord{BrokerID: id, BrokerEpoch: 10 * int64(id)})
	}
	r.image, _, err = metadata.Empty().With(9, 1, records...)
	must(t, err)
	r.k = New(Options{
		NodeID: 1, Image: func() *metadata.Image { return r.image }, MaxLag: func() time.Duration { return time.Second },
		Control: r.control, Logger: slog.New(slog.DiscardHandler),
		Partitions: func() iter.Seq[*partition.Partition] { return slices.Values([]*partition.Partition{r.p}) },
		Tick:       func(time.Duration) (<-chan time.Time, func()) { return r.ticks, func() {} },
	})
	r.p = partition.New(partition.Options{Topic: "orders", ID: uuid.UUID{5}, Index: 2, NodeID: 1, Now: r.time, InSync: r.k.Look, Config: partition.Config{
		Log:   log.Config{SegmentBytes: 1 << 20, Durability: log.Replicated},
		Rules: record.Rules{MaxBatchBytes: 1 << 20, MaxDecompressed: 1 << 20, BeforeMaxMs: 1 << 60, AfterMaxMs: 1 << 60}, MinInsync: 1,
	}})
	must(t, r.p.Open(dir))
	r.become(0, 1, 2, 3)
	b := record.NewBuilder()
	b.Add(1, nil, []byte("x"))
	var a partition.Appended
	must(t, r.p.Append(b.Build(0), &partition.AppendArgs{Acks: 1}, &a))
	r.k.Lead()
	r.k.Lead() // as often as it likes
	t.Cleanup(r.k.Close)
	return r
}

func (r *rig) time() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) become(partitionEpoch int32, isr ...int32) {
	r.t.Helper()
	must(r.t, r.p.Become(partition.Role{Leader: 1, LeaderEpoch: 4, PartitionEpoch: partitionEpoch, Replicas: []int32{1, 2, 3}, ISR: isr}))
}

// control is the controller: it hands the command to the test and answers as that
// says.
func (r *rig) control(ctx context.Context, cmd any) (any, error) {
	if y, ok := cmd.(controller.YieldLeads); ok {
		select {
		case r.yields <- y:
			return []controller.Result{{}}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	a, ok := cmd.(controller.AlterPartition)
	if !ok {
		return nil, errors.New("another command")
	}
	select {
	case r.asked <- a:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch x := (<-r.answer).(type) {
	case error:
		if code, ok := x.(wire.Code); ok {
			return []controller.AlteredPartition{{Result: controller.Result{Code: code}, Index: 2}}, nil
		}
		return nil, x
	case nil:
		return []controller.AlteredPartition{{Index: 2}}, nil
	}
	return "nonsense", nil
}

// fetch has a follower fetch from an offset.
func (r *rig) fetch(id int32, epoch, offset int64) {
	r.t.Helper()
	var f partition.Fetched
	must(r.t, r.p.FetchReplica(&partition.ReplicaArgs{Replica: id, BrokerEpoch: epoch, Synced: offset, FetchArgs: partition.FetchArgs{
		Offset: offset, CurrentLeaderEpoch: 4, LastFetchedEpoch: -1,
	}}, &f))
}

// fetchStuck is fetch of one that could not keep what it got.
func (r *rig) fetchStuck(id int32, epoch, offset int64) {
	r.t.Helper()
	var f partition.Fetched
	must(r.t, r.p.FetchReplica(&partition.ReplicaArgs{Replica: id, BrokerEpoch: epoch, Synced: offset, Stuck: true, FetchArgs: partition.FetchArgs{
		Offset: offset, CurrentLeaderEpoch: 4, LastFetchedEpoch: -1,
	}}, &f))
}

// late lets followers that do not fetch fall behind.
func (r *rig) late() {
	r.mu.Lock()
	r.now = r.now.Add(2 * time.Second)
	r.mu.Unlock()
}

// asks waits for a command and tells the ISR that it names.
func (r *rig) asks() (isr []int32, a controller.AlterPartition) {
	r.t.Helper()
	select {
	case a = <-r.asked:
	case <-time.After(time.Minute):
		r.t.Fatal("the controller hears nothing")
	}
	for _, b := range a.Partitions[0].ISR {
		isr = append(isr, b.Broker)
	}
	return isr, a
}

// TestThoseThatLagLeave: with the epochs of the registrations that the leader knows.
func TestThoseThatLagLeave(t *testing.T) {
	r := newRig(t)
	r.fetch(2, 20, 1)
	r.late()
	r.ticks <- r.time()
	isr, a := r.asks()
	p := a.Partitions[0]
	if !slices.Equal(isr, []int32{1, 2}) || a.Broker != 1 || a.Epoch != 10 || p.Index != 2 || p.TopicID != (uuid.UUID{5}) || p.LeaderEpoch != 4 || p.PartitionEpoch != 0 ||
		p.ISR[0].BrokerEpoch != 10 || p.ISR[1].BrokerEpoch != 20 {
		t.Errorf("the controller is told %+v", a)
	}
	r.become(1, 1, 2)
	r.answer <- nil
	r.ticks <- r.time() // nothing is left to tell
	r.ticks <- r.time()
}

// TestWhoCannotGoOnLeavesAtOnce: without a tick, and comes back as any other.
func TestWhoCannotGoOnLeavesAtOnce(t *testing.T) {
	r := newRig(t)
	r.fetch(2, 20, 1)
	r.fetchStuck(3, 30, 0)
	if isr, _ := r.asks(); !slices.Equal(isr, []int32{1, 2}) {
		t.Errorf("the ISR proposed is %v", isr)
	}
	r.become(1, 1, 2)
	r.answer <- nil
	r.fetchStuck(3, 30, 1)
	r.ticks <- r.time()
	r.ticks <- r.time() // it has everything, and could not keep what comes next
	r.fetch(3, 30, 1)
	if isr, _ := r.asks(); !slices.Equal(isr, []int32{1, 2, 3}) {
		t.Errorf("the ISR proposed is %v", isr)
	}
	r.become(2, 1, 2, 3)
	r.answer <- nil
}

// TestALeaderWithoutRoomYields: at once, and again until it has room.
func TestALeaderWithoutRoomYields(t *testing.T) {
	r := newRig(t)
	r.fetch(2, 20, 1)
	r.fetch(3, 30, 1)
	write := func() error {
		b := record.NewBuilder()
		b.Add(1, nil, []byte("y"))
		var a partition.Appended
		return r.p.Append(b.Build(0), &partition.AppendArgs{Acks: 1}, &a)
	}
	yields := func() {
		t.Helper()
		select {
		case y := <-r.yields:
			if y.ID != 1 || y.Epoch != 10 || !slices.Equal(y.Partitions, []controller.TopicIDPartition{{TopicID: uuid.UUID{5}, Index: 2}}) {
				t.Errorf("the controller is told %+v", y)
			}
		case <-time.After(time.Minute):
			t.Fatal("the controller hears nothing")
		}
	}
	r.faults.Full(true)
	if err := write(); wire.CodeOf(err) != wire.KafkaStorageError {
		t.Fatalf("a write to a full disk: %v", err)
	}
	yields()
	r.ticks <- r.time()
	yields()
	r.faults.Full(false)
	must(t, write())
	r.ticks <- r.time()
	r.ticks <- r.time()
}

// TestAProposalIsMadeAgainUntilTheImageHasTheWord: whatever became of the first.
func TestAProposalIsMadeAgainUntilTheImageHasTheWord(t *testing.T) {
	r := newRig(t)
	r.fetch(2, 20, 1)
	r.late()
	for _, answer := range []any{errors.New("the connection broke"), wire.InvalidUpdateVersion, wire.FencedLeaderEpoch, 7} {
		r.ticks <- r.time()
		if isr, a := r.asks(); !slices.Equal(isr, []int32{1, 2}) || a.Partitions[0].PartitionEpoch != 0 {
			t.Errorf("the controller is told %+v", a)
		}
		r.answer <- answer
	}
}

// TestAPlainRefusalTakesAProposalBack: and the next looks anew.
func TestAPlainRefusalTakesAProposalBack(t *testing.T) {
	r := newRig(t)
	r.late()
	r.ticks <- r.time()
	if isr, _ := r.asks(); !slices.Equal(isr, []int32{1}) {
		t.Errorf("the ISR proposed is %v", isr)
	}
	r.fetch(2, 20, 1) // while the controller thinks
	r.answer <- wire.IneligibleReplica
	r.ticks <- r.time()
	if isr, _ := r.asks(); !slices.Equal(isr, []int32{1, 2}) {
		t.Errorf("the ISR proposed is %v, want the one that holds by now", isr)
	}
	r.answer <- nil
}

// TestWhoCatchesUpIsProposedAtOnce: without a tick; not when its registration is
// another one.
func TestWhoCatchesUpIsProposedAtOnce(t *testing.T) {
	r := newRig(t)
	r.become(1, 1)
	r.fetch(2, 19, 1) // of the process before
	r.fetch(3, 30, 1)
	isr, a := r.asks()
	if !slices.Equal(isr, []int32{1, 3}) || a.Partitions[0].ISR[1].BrokerEpoch != 30 {
		t.Errorf("the controller is told %+v", a)
	}
	r.answer <- nil
}

// TestAMemberThatLostWhatItHadLeavesAtOnce: however recently it stood at the end.
func TestAMemberThatLostWhatItHadLeavesAtOnce(t *testing.T) {
	r := newRig(t)
	r.fetch(2, 20, 1)
	r.fetch(3, 30, 1)
	if h := r.p.Offsets().HighWatermark; h != 1 {
		t.Fatalf("the high watermark is %d", h)
	}
	r.fetch(3, 31, 0)
	if isr, _ := r.asks(); !slices.Equal(isr, []int32{1, 2}) {
		t.Errorf("the ISR proposed is %v", isr)
	}
	r.answer <- nil
}

// TestWhoIsFencedOrStopsDoesNotJoin: as the image says.
func TestWhoIsFencedOrStopsDoesNotJoin(t *testing.T) {
	img, _, err := metadata.Empty().With(9, 1,
		&metadata.RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 10},
		&metadata.RegisterBrokerRecord{BrokerID: 2, BrokerEpoch: 20, Fenced: true},
		&metadata.RegisterBrokerRecord{BrokerID: 3, BrokerEpoch: 30, InControlledShutdown: true})
	must(t, err)
	for _, c := range []struct {
		node  int32
		epoch int64
		want  bool
	}{{1, 10, true}, {1, -1, true}, {1, 9, false}, {2, 20, false}, {3, 30, false}, {4, 1, false}} {
		if got := mayJoin(img, c.node, c.epoch); got != c.want {
			t.Errorf("node %d with epoch %d: %v, want %v", c.node, c.epoch, got, c.want)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
