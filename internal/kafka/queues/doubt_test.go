package queues

import (
	"errors"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// led is an empty partition that node 1 leads, with replicas on these nodes.
func led(t *testing.T, replicas ...int32) *partition.Partition {
	t.Helper()
	dir, err := log.OpenDir(log.DirOptions{FS: vfs.NewMem(0), Path: "/data", Now: time.Now, VerifyAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	p := partition.New(partition.Options{Topic: "t", NodeID: 1, Now: time.Now, Config: partition.Config{
		Log: log.Config{SegmentBytes: 1 << 20, IndexBytes: 1 << 20, IndexIntervalBytes: 4096, Delete: true},
	}})
	if err := p.Open(dir); err != nil {
		t.Fatal(err)
	}
	if err := p.Become(partition.Role{Leader: 1, LeaderEpoch: 5, Replicas: replicas, ISR: replicas}); err != nil {
		t.Fatal(err)
	}
	return p
}

// A receipt that is not known at a node that was cut off may be good: the message was
// taken from the one who leads now. And what is there to take it does not hear of.
func TestANodeThatMayLeadNoMoreSaysOfNoReceiptThatItIsNotGood(t *testing.T) {
	l, cut := alone(), false
	l.o.Trusted, l.o.Mute = func() bool { return !cut }, func() bool { return cut }
	shared, sole := led(t, 1, 2), led(t, 1)
	for _, c := range []struct {
		what        string
		log         *partition.Partition
		cut         bool
		stale, none wire.Code
	}{
		{"heard", shared, false, wire.InvalidRecordState, wire.None},
		{"cut off", shared, true, wire.NotLeaderOrFollower, wire.NotLeaderOrFollower},
		{"cut off, where nobody else can lead", sole, true, wire.InvalidRecordState, wire.None},
	} {
		cut = c.cut
		errs := l.sure(c.log, []error{nil, wire.Errorf(wire.InvalidRecordState, "it is done"), wire.InvalidRequest})
		if errs[0] != nil || wire.CodeOf(errs[1]) != c.stale || !errors.Is(errs[2], wire.InvalidRequest) {
			t.Errorf("%s: got %v, want %v for the second alone", c.what, errs, c.stale)
		}
		if err := l.nothing(c.log); wire.CodeOf(err) != c.none {
			t.Errorf("%s: of nothing to take: %v, want %v", c.what, err, c.none)
		}
	}
}
