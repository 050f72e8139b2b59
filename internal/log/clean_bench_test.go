package log

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// BenchmarkClean compacts a log of 575 MB with 20,000 keys in batches of 16 KB,
// as Kafka was measured: bytes of the log per second and per second of CPU (of
// this process, both passes). An iteration begins with a copy that no cleaning
// has seen.
func BenchmarkClean(b *testing.B) {
	for _, c := range []struct {
		name       string
		value      int
		codec      record.Codec
		perBatch   int
		totalBytes int64
	}{
		{"1KB", 1000, record.None, 16, 575 << 20},
		{"100B", 100, record.None, 160, 200 << 20},
		{"1KB-lz4", 1000, record.LZ4, 16, 200 << 20},
	} {
		b.Run(c.name, func(b *testing.B) {
			var cpu, wall time.Duration
			var bytes int64
			for b.Loop() {
				b.StopTimer()
				l := dirtyLog(b, c.value, c.codec, c.perBatch, c.totalBytes)
				w := Cleaner{KeyBytes: 128 << 20, LoadFactor: 0.9, BufferBytes: 256 << 10}
				before, began := used(b), time.Now()
				b.StartTimer()
				k, err := l.BeginCleaning(l.End().Offset)
				if err != nil {
					b.Fatal(err)
				}
				done, err := k.Run(&w)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				cpu, wall, bytes = cpu+used(b)-before, wall+time.Since(began), bytes+done.Before
				if done.Kept > 40_000 {
					b.Fatalf("%d records are left: %+v", done.Kept, done)
				}
				if err := l.dir.Delete(l); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(bytes)/1e6/wall.Seconds(), "MB/s")
			b.ReportMetric(cpu.Seconds()/(float64(bytes)/1e9), "cpu-s/GB")
		})
	}
}

// dirtyLog is a log with random updates of 20,000 keys in segments of 100 MB.
func dirtyLog(b *testing.B, value int, codec record.Codec, perBatch int, bytes int64) *Log {
	b.Helper()
	disk := vfs.NewOS()
	b.Cleanup(func() { _ = disk.Close() })
	d, err := OpenDir(DirOptions{FS: disk, Path: b.TempDir(), Now: time.Now, VerifyAge: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = d.Close(nil) })
	l, err := d.Open(Ident{Topic: "accounts", ID: uuid.UUID{1}}, OpenOptions{Config: Config{
		Compact: true, SegmentBytes: 100 << 20, Durability: Memory, DeleteRetention: time.Hour}})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	v := make([]byte, value)
	bd := record.NewBuilder()
	bd.Codec, bd.LeaderEpoch = codec, 0
	for written := int64(0); written < bytes; {
		for range perBatch {
			for i := 0; i+8 <= len(v); i += 16 { // half random: it compresses to half
				binary.LittleEndian.PutUint64(v[i:], r.Uint64())
			}
			bd.Add(1_700_000_000_000, fmt.Appendf(nil, "customer-%d", r.IntN(20_000)), v)
			written += int64(value)
		}
		raw := bd.Build(l.End().Offset)
		h, err := record.ParseHeader(raw)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := l.Append(&h, raw); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Roll(); err != nil {
		b.Fatal(err)
	}
	if err := l.Sync(); err != nil {
		b.Fatal(err)
	}
	return l
}

// used is the CPU time of this process.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
