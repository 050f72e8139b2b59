package led

import (
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/vfs"
)

// Partition is an empty partition that node 1 leads, with replicas on these nodes.
func Partition(t testing.TB, replicas ...int32) *partition.Partition {
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
