package log

import (
	"fmt"
	"testing"
	"time"

	"ottla/internal/record"
	"ottla/internal/vfs"
)

// benchLog is a log on the real disk; its batch holds records of size bytes.
func benchLog(b *testing.B, size, count int) (*Dir, *Log, record.Header, []byte) {
	b.Helper()
	disk := vfs.NewOS()
	b.Cleanup(func() { _ = disk.Close() })
	d, err := OpenDir(DirOptions{FS: disk, Path: b.TempDir(), Now: time.Now, VerifyAge: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = d.Close(nil) })
	l, err := d.Open(ident(0), OpenOptions{Config: Config{RetentionBytes: 1 << 28, Delete: true, SegmentBytes: 1 << 27}})
	if err != nil {
		b.Fatal(err)
	}
	bd := record.NewBuilder()
	for range count {
		bd.Add(1_700_000_000_000, nil, make([]byte, size))
	}
	raw := bd.Build(0)
	h, err := record.ParseHeader(raw)
	if err != nil {
		b.Fatal(err)
	}
	return d, l, h, raw
}

var shapes = []struct{ size, count int }{{100, 1}, {1 << 10, 1}, {1 << 10, 16}, {1 << 10, 128}, {100, 1000}}

func BenchmarkAppend(b *testing.B) {
	for _, s := range shapes {
		b.Run(fmt.Sprintf("%dx%d", s.count, s.size), func(b *testing.B) {
			d, l, h, raw := benchLog(b, s.size, s.count)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			written := 0
			for b.Loop() {
				h.BaseOffset = l.End().Offset
				record.SetBaseOffset(raw, h.BaseOffset)
				if _, err := l.Append(&h, raw); err != nil {
					b.Fatal(err)
				}
				if written += len(raw); written > 1<<26 { // as the loops do in life
					written = 0
					b.StopTimer()
					_ = d.Housekeep()
					_, _ = l.Retain(l.End().Offset)
					b.StartTimer()
				}
			}
		})
	}
}

func BenchmarkAppendAndSync(b *testing.B) {
	d, l, h, raw := benchLog(b, 1<<10, 1)
	b.ReportAllocs()
	for b.Loop() {
		h.BaseOffset = l.End().Offset
		record.SetBaseOffset(raw, h.BaseOffset)
		if _, err := l.Append(&h, raw); err != nil {
			b.Fatal(err)
		}
		if err := d.SyncRound(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadAtTheTail(b *testing.B) {
	_, l, h, raw := benchLog(b, 1<<10, 1)
	for range 1000 {
		h.BaseOffset = l.End().Offset
		record.SetBaseOffset(raw, h.BaseOffset)
		if _, err := l.Append(&h, raw); err != nil {
			b.Fatal(err)
		}
	}
	end := l.End()
	b.ReportAllocs()
	for b.Loop() {
		s, err := l.Read(end.Offset-5, end, 1<<20, true)
		if err != nil || s.Len == 0 {
			b.Fatal(s, err)
		}
		s.Release()
	}
}

func BenchmarkReadFarBehind(b *testing.B) {
	_, l, h, raw := benchLog(b, 1<<10, 16)
	for range 4000 {
		h.BaseOffset = l.End().Offset
		record.SetBaseOffset(raw, h.BaseOffset)
		if _, err := l.Append(&h, raw); err != nil {
			b.Fatal(err)
		}
	}
	end, at := l.End(), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		at = (at + 1009) % (end.Offset - 100)
		s, err := l.Read(at, end, 64<<10, true)
		if err != nil || s.Len == 0 {
			b.Fatal(s, err)
		}
		s.Release()
	}
}

// BenchmarkOpenPartitions is a start with many logs: new ones, and ones with
// data after a clean stop.
func BenchmarkOpenPartitions(b *testing.B) {
	const n = 5000
	disk := vfs.NewOS()
	b.Cleanup(func() { _ = disk.Close() })
	o := DirOptions{FS: disk, Path: b.TempDir(), Now: time.Now, VerifyAge: time.Hour}
	start := func(fill bool) *Dir {
		d, err := OpenDir(o)
		if err != nil {
			b.Fatal(err)
		}
		for i := range n {
			l, err := d.Open(ident(i), OpenOptions{})
			if err != nil {
				b.Fatal(err)
			}
			if fill {
				h, raw := batch(l.End().Offset, 0, 1, 1)
				if _, err := l.Append(&h, raw); err != nil {
					b.Fatal(err)
				}
			}
		}
		return d
	}
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			start(false)
		}
	})
	d := start(true)
	began := time.Now()
	if err := d.SyncRound(); err != nil {
		b.Fatal(err)
	}
	b.Logf("one sync round of %d logs: %v", n, time.Since(began))
	began = time.Now()
	if err := d.Checkpoint(nil); err != nil {
		b.Fatal(err)
	}
	b.Logf("checkpoint of %d changed logs: %v", n, time.Since(began))
	began = time.Now()
	if err := d.Checkpoint(nil); err != nil {
		b.Fatal(err)
	}
	b.Logf("checkpoint of %d unchanged logs: %v", n, time.Since(began))
	began = time.Now()
	if err := d.Close(nil); err != nil {
		b.Fatal(err)
	}
	b.Logf("clean stop of %d logs: %v", n, time.Since(began))
	b.Run("with data", func(b *testing.B) {
		for b.Loop() {
			start(false)
		}
	})
}
