package post

import (
	"context"
	"errors"
	"testing"
	"time"

	disklog "ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// led is a partition that node 1 leads in an epoch, with node 2 in sync.
func led(t *testing.T, epoch int32) *partition.Partition {
	t.Helper()
	dir, err := disklog.OpenDir(disklog.DirOptions{FS: vfs.NewMem(0), Path: "/data", Now: time.Now, VerifyAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	p := partition.New(partition.Options{Topic: "orders", NodeID: 1, Now: time.Now, Config: partition.Config{
		Log:       disklog.Config{SegmentBytes: 1 << 30, IndexBytes: 10 << 20, IndexIntervalBytes: 4096, Delete: true, MaxDecompressed: 64 << 20, Durability: disklog.Memory},
		Rules:     record.Rules{MaxBatchBytes: 8 << 20, MaxDecompressed: 64 << 20, BeforeMaxMs: 1 << 60, AfterMaxMs: 3600_000},
		MinInsync: 1, ProducerExpiry: 24 * time.Hour,
	}})
	if err := p.Open(dir); err != nil {
		t.Fatal(err)
	}
	become(t, p, 1, epoch, 1, 2)
	return p
}

func become(t *testing.T, p *partition.Partition, leader, epoch int32, insync ...int32) {
	t.Helper()
	if err := p.Become(partition.Role{Leader: leader, LeaderEpoch: epoch, Replicas: []int32{1, 2}, ISR: insync}); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, p *partition.Partition) Written {
	t.Helper()
	b := record.NewBuilder()
	b.Add(time.Now().UnixMilli(), nil, []byte("v"))
	w, err := Write(p, b.Build(0))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// A node that was not the leader for a while says nothing of what it wrote before,
// also when it leads again and the offsets are committed by then: other records may
// lie there.
func TestABatchOfAnEarlierLeadershipIsNotCommittedByALaterOne(t *testing.T) {
	p := led(t, 5)
	w := write(t, p)
	become(t, p, 2, 6, 1, 2)
	become(t, p, 1, 7, 1)
	if high := p.Offsets().HighWatermark; high <= w.Base {
		t.Fatalf("the high watermark is %d, and the batch is at %d", high, w.Base)
	}
	if err := w.Await(t.Context()); wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("got %v", err)
	}
}

func TestWhoWaitsHearsOfWhatCameBefore(t *testing.T) {
	p := led(t, 5)
	w := write(t, p)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Await(over); wire.CodeOf(err) != wire.RequestTimedOut || !errors.Is(err, context.Canceled) {
		t.Errorf("nothing is told yet: %v", err)
	}
	become(t, p, 1, 6, 1)
	if err := w.Await(over); err != nil {
		t.Errorf("it was committed before anybody waited: %v", err)
	}
}
