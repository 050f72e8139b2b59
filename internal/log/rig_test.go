package log

import (
	"fmt"
	"testing"
	"time"

	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// rig is a log directory on a memory disk with a clock that tests move.
type rig struct {
	t   *testing.T
	fs  vfs.FS
	o   DirOptions
	now time.Time
	d   *Dir
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, fs: vfs.NewMem(1 << 30), now: time.UnixMilli(1_700_000_000_000)}
	r.o = DirOptions{FS: r.fs, Path: "/data", Now: func() time.Time { return r.now }, VerifyAge: time.Hour}
	r.open()
	return r
}

func (r *rig) open() {
	r.t.Helper()
	d, err := OpenDir(r.o)
	if err != nil {
		r.t.Fatalf("open directory: %v", err)
	}
	r.d = d
}

// reopen opens the directory again without closing it: a kill.
func (r *rig) reopen() { r.t.Helper(); r.open() }

func ident(n int) Ident {
	return Ident{Topic: "orders", Partition: int32(n), ID: uuid.UUID{1, 2, 3}}
}

// small makes segments roll and indexes fill within a few batches.
var small = Config{SegmentBytes: 4096, IndexIntervalBytes: 256, Delete: true, MaxDecompressed: 1 << 20}

func (r *rig) log(c Config) *Log {
	r.t.Helper()
	l, err := r.d.Open(ident(0), OpenOptions{Config: c})
	if err != nil {
		r.t.Fatalf("open log: %v", err)
	}
	return l
}

// batch builds one of n records at base with timestamps from ms on.
func batch(base int64, epoch int32, ms int64, n int) (record.Header, []byte) {
	bd := record.NewBuilder()
	bd.LeaderEpoch = epoch
	for i := range n {
		bd.Add(ms+int64(i), nil, fmt.Appendf(nil, "value-%d", base+int64(i)))
	}
	b := bd.Build(base)
	h, err := record.ParseHeader(b)
	if err != nil {
		panic(err)
	}
	return h, b
}

// fill appends batches of n records each at the end and returns the end.
func fill(t *testing.T, l *Log, batches, n int) Position {
	t.Helper()
	for range batches {
		end := l.End().Offset
		h, b := batch(end, 0, 1_700_000_000_000+end, n)
		if _, err := l.Append(&h, b); err != nil {
			t.Fatalf("append at %d: %v", end, err)
		}
	}
	return l.End()
}

// offsets reads from offset to the end through Read and gives the base offset
// of each batch.
func readAll(t *testing.T, l *Log, offset int64) []int64 {
	t.Helper()
	var out []int64
	for end := l.End(); offset < end.Offset; {
		s, err := l.Read(offset, end, 1000, true)
		if err != nil {
			t.Fatalf("read at %d: %v", offset, err)
		}
		if s.Len == 0 {
			t.Fatalf("read at %d: empty below the end %d", offset, end.Offset)
		}
		b := make([]byte, s.Len)
		if _, err := s.ReadAt(b, 0); err != nil {
			t.Fatalf("read slice at %d: %v", offset, err)
		}
		s.Release()
		for len(b) > 0 {
			h, err := record.ParseHeader(b)
			if err != nil || h.Size() > len(b) {
				break
			}
			if !record.VerifyCRC(b[:h.Size()]) {
				t.Fatalf("batch at %d has a wrong checksum", h.BaseOffset)
			}
			out = append(out, h.BaseOffset)
			offset = h.NextOffset()
			b = b[h.Size():]
		}
	}
	return out
}

func wantRun(t *testing.T, got []int64, n, step int) {
	t.Helper()
	if len(got) != n {
		t.Fatalf("read %d batches, want %d: %v", len(got), n, got)
	}
	for i, o := range got {
		if o != int64(i*step) {
			t.Fatalf("batch %d has offset %d, want %d", i, o, i*step)
		}
	}
}
