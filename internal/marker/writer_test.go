package marker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/txn"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

const startMs = 1_700_000_000_000

// rig is a writer on real partitions of the topic "orders", 0 to 3, on a disk
// in memory. Sync rounds come when a test says so.
type rig struct {
	t      *testing.T
	dir    *log.Dir
	w      *Writer
	parts  []*partition.Partition
	groups *groups
	pauses chan chan struct{} // each pause waits until its channel is closed

	mu   sync.Mutex
	gone map[int32]wire.Code // partitions that cannot be served, and why
}

// groups are group coordinators that answer as a test says.
type groups struct {
	mu    sync.Mutex
	asked []string
	err   []error // of the next answers; then nil
}

func (g *groups) GoAt(_ context.Context, partition int32, cmd any, done func(any, error)) {
	g.mu.Lock()
	g.asked = append(g.asked, fmt.Sprintf("%d %+v", partition, cmd.(group.EndTxn).Txn))
	var err error
	if len(g.err) > 0 {
		err, g.err = g.err[0], g.err[1:]
	}
	g.mu.Unlock()
	done(nil, err)
}

func (r *rig) ByName(topic []byte, index int32) (*partition.Partition, wire.Code) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case string(topic) == "__consumer_offsets":
		return nil, r.gone[-index]
	case string(topic) != "orders" || int(index) >= len(r.parts):
		return nil, wire.UnknownTopicOrPartition
	case r.gone[index] != wire.None:
		return nil, r.gone[index]
	}
	return r.parts[index], wire.None
}

func (r *rig) lose(index int32, why wire.Code) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone[index] = why
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, groups: &groups{}, pauses: make(chan chan struct{}), gone: map[int32]wire.Code{}}
	now := func() time.Time { return time.UnixMilli(startMs) }
	dir, err := log.OpenDir(log.DirOptions{FS: vfs.NewMem(0), Path: "/data", Now: now, VerifyAge: time.Hour})
	must(t, err)
	r.dir = dir
	for i := range int32(4) {
		p := partition.New(partition.Options{Topic: "orders", Index: i, NodeID: 1, Now: now, Config: partition.Config{
			Log:   log.Config{SegmentBytes: 1 << 20, IndexBytes: 1 << 16, IndexIntervalBytes: 4096, MaxDecompressed: 1 << 20},
			Rules: record.Rules{MaxBatchBytes: 1 << 20, BeforeMaxMs: 1 << 60, AfterMaxMs: 1 << 60}, MinInsync: 1,
		}})
		must(t, p.Open(dir))
		must(t, p.Become(partition.Role{Leader: 1, LeaderEpoch: 1, Replicas: []int32{1}, ISR: []int32{1}}))
		r.parts = append(r.parts, p)
	}
	r.w = New(Options{
		Partitions: r, Groups: r.groups, OffsetsTopic: "__consumer_offsets", Now: now, Image: func() *metadata.Image { return ledBy(t, 0, 0, 0, 0) },
		Pause: func(ctx context.Context, _ time.Duration) {
			over := make(chan struct{})
			select {
			case r.pauses <- over:
			case <-ctx.Done():
				return
			}
			select {
			case <-over:
			case <-ctx.Done():
			}
		},
	})
	return r
}

// ledBy is an image with the topic "orders", of whose partitions each has a leader.
func ledBy(t *testing.T, leaders ...int32) *metadata.Image {
	id := uuid.UUID{1}
	records := []metadata.Record{&metadata.TopicRecord{Name: "orders", ID: id}}
	for i, leader := range leaders {
		records = append(records, &metadata.PartitionRecord{
			Partition: int32(i), TopicID: id, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}, Leader: leader, Directories: make([]uuid.UUID, 3),
		})
	}
	img, _, err := metadata.Empty().With(int64(len(records)), 1, records...)
	if err != nil {
		t.Error(err)
	}
	return img
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// data appends a transactional batch.
func (r *rig) data(index int32, id int64, epoch int16) {
	r.t.Helper()
	b := record.NewBuilder()
	b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = id, epoch, 0, true
	b.Add(startMs, nil, []byte("x"))
	var got partition.Appended
	must(r.t, r.parts[index].Append(b.Build(0), &partition.AppendArgs{Acks: -1, Transactional: true}, &got))
}

// marker ends producer 7's transaction of epoch 0.
func marker(partitions ...txn.TopicPartition) txn.Marker {
	return txn.Marker{ID: "tx", ProducerID: 7, ProducerEpoch: 1, Commit: true, CoordinatorEpoch: 3, Version: 2, Partitions: partitions}
}

func orders(indexes ...int32) (out []txn.TopicPartition) {
	for _, i := range indexes {
		out = append(out, txn.TopicPartition{Topic: "orders", Partition: i})
	}
	return out
}

// write begins a Write; what it comes to is in the channel.
func (r *rig) write(ctx context.Context, m txn.Marker) <-chan error {
	ended := make(chan error, 2)
	r.w.Write(ctx, m, func(err error) { ended <- err })
	r.t.Cleanup(func() {
		if len(ended) > 0 {
			r.t.Errorf("a Write ended twice: %v", <-ended)
		}
	})
	return ended
}

// written waits until partitions have so many records.
func (r *rig) written(end int64, indexes ...int32) {
	r.t.Helper()
	for _, i := range indexes {
		for r.parts[i].Offsets().LogEnd < end {
			runtime.Gosched()
		}
	}
}

func TestAMarkerIsThereWhenItIsSyncedAndVisible(t *testing.T) {
	r := newRig(t)
	for i := range int32(3) {
		r.data(i, 7, 0)
	}
	must(t, r.dir.SyncRound())
	ended := r.write(t.Context(), marker(orders(0, 1, 2, 3)...)) // nothing was written to the last
	for _, i := range []int32{0, 1, 2} {
		r.written(2, i)
	}
	r.written(1, 3)
	for _, p := range r.parts[:3] {
		if o := p.Offsets(); o.LastStable != 0 {
			t.Errorf("%+v: readable before it is synced", o)
		}
	}
	must(t, r.dir.SyncRound()) // one for all
	must(t, <-ended)
	for i, p := range r.parts {
		if o := p.Offsets(); o.LastStable != o.LogEnd {
			t.Errorf("partition %d: %+v", i, o)
		}
		infos, err := p.Producers()
		if err != nil || len(infos) != 1 || infos[0].Epoch != 1 || infos[0].CoordinatorEpoch != 3 || infos[0].CurrentTxnStartOffset != -1 {
			t.Errorf("partition %d: producers %+v %v", i, infos, err)
		}
	}
	r.w.Close()
}

func TestWhatNeedsNoMarkerIsPassedBy(t *testing.T) {
	r := newRig(t)
	r.data(1, 7, 5) // the producer has begun anew there
	m := marker(append(orders(1, 99), txn.TopicPartition{Topic: "deleted"}, txn.TopicPartition{Topic: "__transaction_state"}, txn.TopicPartition{Topic: "__share_group_state"})...)
	must(t, <-r.write(t.Context(), m))
	if o := r.parts[1].Offsets(); o.LogEnd != 1 {
		t.Errorf("%+v: a marker of an old epoch was written", o)
	}
	m.Partitions = nil
	must(t, <-r.write(t.Context(), m))
	r.w.Close()
}

func TestAPartitionThatIsNotReadyIsAskedAgain(t *testing.T) {
	r := newRig(t)
	r.data(0, 7, 0)
	r.data(1, 7, 0)
	r.lose(0, wire.NotLeaderOrFollower)
	ended := r.write(t.Context(), marker(orders(0, 1)...))
	r.written(2, 1)
	must(t, r.dir.SyncRound())
	close(<-r.pauses)
	r.lose(0, wire.KafkaStorageError)
	over := <-r.pauses // after the second try
	r.lose(0, wire.None)
	close(over)
	r.written(2, 0)
	must(t, r.dir.SyncRound())
	must(t, <-ended)
	if end := r.parts[1].Offsets().LogEnd; end != 2 {
		t.Errorf("the partition that had its marker has %d records, want 2", end)
	}
	r.w.Close()
}

func TestTheOffsetsOfGroupsGoThroughTheirCoordinator(t *testing.T) {
	r := newRig(t)
	r.groups.err = []error{wire.CoordinatorLoadInProgress, wire.NotCoordinator, wire.NotEnoughReplicas}
	m := marker(txn.TopicPartition{Topic: "__consumer_offsets", Partition: 17})
	ended := r.write(t.Context(), m)
	for range 3 {
		close(<-r.pauses)
	}
	must(t, <-ended)
	want := fmt.Sprintf("17 %+v", coordinator.Txn{ProducerID: 7, ProducerEpoch: 1, End: coordinator.TxnCommit, CoordinatorEpoch: 3, Version: 2})
	if !slices.Equal(r.groups.asked, []string{want, want, want, want}) {
		t.Errorf("asked %q, want four times %q", r.groups.asked, want)
	}
	m.Commit = false
	r.groups.asked, r.groups.err = nil, []error{wire.InvalidProducerEpoch}
	must(t, <-r.write(t.Context(), m))
	want = fmt.Sprintf("17 %+v", coordinator.Txn{ProducerID: 7, ProducerEpoch: 1, End: coordinator.TxnAbort, CoordinatorEpoch: 3, Version: 2})
	if !slices.Equal(r.groups.asked, []string{want}) {
		t.Errorf("asked %q, want %q", r.groups.asked, want)
	}
	r.w.Close()
}

func TestANewerCoordinatorEndsTheTransaction(t *testing.T) {
	r := newRig(t)
	m := marker(orders(0)...)
	m.CoordinatorEpoch = 9
	first := r.write(t.Context(), m)
	r.written(1, 0)
	must(t, r.dir.SyncRound())
	must(t, <-first)
	m.CoordinatorEpoch, m.ProducerEpoch, m.Partitions = 8, 2, orders(1, 0)
	ended := r.write(t.Context(), m) // nothing of the producer is open there
	r.written(1, 1)
	must(t, r.dir.SyncRound())
	must(t, <-ended)
	r.data(0, 7, 1)
	m.Partitions = orders(0)
	second := r.write(t.Context(), m)
	if err := <-second; wire.CodeOf(err) != wire.TransactionCoordinatorFenced {
		t.Errorf("got %v, want TRANSACTION_COORDINATOR_FENCED", err)
	}
	r.w.Close()
}

func TestAWriteEndsWithItsLeadership(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	syncing := r.write(ctx, marker(orders(0)...))
	r.written(1, 0)
	r.lose(2, wire.NotLeaderOrFollower)
	pausing := r.write(ctx, marker(orders(2)...))
	over := <-r.pauses
	cancel()
	for name, ended := range map[string]<-chan error{"before the sync": syncing, "between two tries": pausing} {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want the context's error", name, err)
		}
	}
	close(over)
	if err := <-r.write(ctx, marker(orders(1)...)); !errors.Is(err, context.Canceled) {
		t.Errorf("after it: %v, want the context's error", err)
	}
	r.w.Close()
	must(t, r.dir.SyncRound()) // the late news interests nobody
	if end := r.parts[1].Offsets().LogEnd; end != 0 {
		t.Errorf("%d records were written after the leadership", end)
	}
}

func TestOnceTellsACodeForEachPartition(t *testing.T) {
	r := newRig(t)
	r.data(1, 7, 0)
	r.lose(2, wire.NotLeaderOrFollower)
	r.groups.err = []error{wire.CoordinatorNotAvailable}
	ctx, cancel := context.WithCancel(t.Context())
	m := marker(append(orders(0, 1, 2, 77), txn.TopicPartition{Topic: "__consumer_offsets", Partition: 1}, txn.TopicPartition{Topic: "__consumer_offsets", Partition: 2}, txn.TopicPartition{Topic: "__transaction_state"})...)
	m.ProducerEpoch = 0 // too low for a marker of version 2 where there is data
	answers := make(chan []wire.Code, 1)
	r.w.Once(ctx, &m, func(codes []wire.Code) { answers <- codes })
	if len(answers) > 0 {
		t.Fatalf("answered %v before the sync", <-answers)
	}
	must(t, r.dir.SyncRound())
	want := []wire.Code{wire.None, wire.InvalidProducerEpoch, wire.NotLeaderOrFollower, wire.UnknownTopicOrPartition, wire.NotLeaderOrFollower, wire.None, wire.UnknownTopicOrPartition}
	if got := <-answers; !slices.Equal(got, want) {
		t.Errorf("codes %v, want %v", got, want)
	}
	bad := m
	bad.ProducerEpoch, bad.Partitions = -1, orders(3, 77)
	r.w.Once(ctx, &bad, func(codes []wire.Code) { answers <- codes })
	if got := <-answers; !slices.Equal(got, []wire.Code{wire.UnknownServerError, wire.UnknownTopicOrPartition}) {
		t.Errorf("codes %v of a negative epoch", got)
	}
	m.Partitions = orders(0)
	r.w.Once(ctx, &m, func(codes []wire.Code) { answers <- codes })
	cancel()
	if got := <-answers; !slices.Equal(got, []wire.Code{wire.RequestTimedOut}) {
		t.Errorf("codes %v when the time is over", got)
	}
	must(t, r.dir.SyncRound())
	m.Partitions = nil
	r.w.Once(t.Context(), &m, func(codes []wire.Code) { answers <- codes })
	if got := <-answers; len(got) != 0 {
		t.Errorf("codes %v of no partitions", got)
	}
}
