package log

import (
	"testing"

	"ottla/internal/record"
	"ottla/internal/vfs"
)

// osRig is a rig on the real disk.
func osRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	disk := vfs.NewOS()
	t.Cleanup(func() { _ = disk.Close() })
	r.o.FS, r.o.Path, r.fs = disk, t.TempDir(), disk
	r.open()
	return r
}

// big never rolls and indexes as Kafka does.
var big = Config{SegmentBytes: 1 << 30, IndexIntervalBytes: 4096, Delete: true, MaxDecompressed: 1 << 20}

func TestAppendReadAndSyncAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector allocates on its own: nothing is measured")
		return
	}
	r := osRig(t)
	told := 0
	l, err := r.d.Open(ident(0), OpenOptions{Config: big, OnDurable: func(Position) { told++ }})
	if err != nil {
		t.Fatal(err)
	}
	h, b := batch(0, 0, 1_700_000_000_000, 10)
	h2, b2 := batch(0, 0, 1_700_000_000_000, 3)
	hs, bs := []record.Header{h, h2}, [][]byte{b, b2}
	fill(t, l, 2000, 5)
	measure := func(name string, runs int, f func()) {
		t.Helper()
		f()
		if n := testing.AllocsPerRun(runs, f); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
	measure("append", 1000, func() {
		h.BaseOffset = l.End().Offset
		record.SetBaseOffset(b, h.BaseOffset)
		if _, err := l.Append(&h, b); err != nil {
			t.Fatal(err)
		}
	})
	measure("append many", 1000, func() {
		hs[0].BaseOffset = l.End().Offset
		hs[1].BaseOffset = hs[0].NextOffset()
		record.SetBaseOffset(b, hs[0].BaseOffset)
		record.SetBaseOffset(b2, hs[1].BaseOffset)
		if _, err := l.AppendMany(hs, bs); err != nil {
			t.Fatal(err)
		}
	})
	measure("append and sync round", 50, func() {
		h.BaseOffset = l.End().Offset
		record.SetBaseOffset(b, h.BaseOffset)
		if _, err := l.Append(&h, b); err != nil {
			t.Fatal(err)
		}
		if err := r.d.SyncRound(); err != nil {
			t.Fatal(err)
		}
	})
	if told == 0 {
		t.Error("no sync round told the owner")
	}
	end := l.End()
	for name, offset := range map[string]int64{"read at the tail": end.Offset - 10, "read far behind": 3} {
		measure(name, 1000, func() {
			s, err := l.Read(offset, end, 4096, true)
			if err != nil || s.Len == 0 {
				t.Fatal(s, err)
			}
			s.Release()
		})
	}
}
