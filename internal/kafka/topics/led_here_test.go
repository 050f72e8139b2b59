package topics

import (
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

// A node in whose place another may lead does not say that records which the other may
// have are not there.
func TestWhoMayLeadNoMoreRefusesToDeleteNothingForGood(t *testing.T) {
	for _, c := range []struct {
		what     string
		replicas []int32
		trusted  bool
		offset   int64
		want     wire.Code
	}{
		{"above the end", []int32{1, 2}, false, 7, wire.NotLeaderOrFollower},
		{"at the end", []int32{1, 2}, false, 0, wire.None},
		{"above the end where nobody else can lead", []int32{1}, false, 7, wire.OffsetOutOfRange},
		{"above the end of who leads", []int32{1, 2}, true, 7, wire.OffsetOutOfRange},
	} {
		p := led(t, c.replicas...)
		records := LedHere(func([]byte, int32) (*partition.Partition, wire.Code) { return p, wire.None }, func() bool { return c.trusted })
		if _, err := records.DeleteRecords("t", 0, c.offset); wire.CodeOf(err) != c.want {
			t.Errorf("%s: got %v, want %v", c.what, err, c.want)
		}
	}
}
