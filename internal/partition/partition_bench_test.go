package partition

import (
	"fmt"
	"testing"

	"ottla/internal/record"
)

// BenchmarkAppend appends batches of 1 KiB records to a real file, with a
// driver that syncs, and waits for the answers as a pipelined connection does:
// with at most 64 of them parked.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("%dKiB", n), func(b *testing.B) {
			r := osRig(b, plain())
			r.drive()
			made := batch(n, 1000, "x")
			free := make(window, 64)
			for range cap(free) {
				free <- nil
			}
			args := AppendArgs{Acks: -1}
			var got Appended
			b.SetBytes(int64(len(made)))
			b.ReportAllocs()
			for b.Loop() {
				if err := <-free; err != nil {
					b.Fatal(err)
				}
				record.SetBaseOffset(made, 0)
				if err := r.p.Append(made, &args, &got); err != nil {
					b.Fatal(err)
				}
				if done, err := r.p.Await(free, got.End, -1); err != nil {
					b.Fatal(err)
				} else if done {
					free <- nil
				}
			}
			for range cap(free) {
				<-free
			}
		})
	}
}

// window holds a place for each answer that may be parked.
type window chan error

func (w window) Committed(err error) { w <- err }

// BenchmarkFetch fetches without reading the bytes: the partition's own part.
func BenchmarkFetch(b *testing.B) {
	r := osRig(b, plain())
	var end int64
	for range 1000 {
		end = r.put(batch(16, 1000, "x"), all).End
	}
	r.round()
	for _, size := range []int{64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			a := at(0)
			a.MaxBytes = size
			var f Fetched
			b.ReportAllocs()
			for b.Loop() {
				if err := r.p.Fetch(&a, &f); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(f.Slice.Len))
				f.Slice.Release()
				a.Offset = (a.Offset + 64) % (end - 100)
			}
		})
	}
	b.Run("nothing new", func(b *testing.B) {
		a := at(end)
		var f Fetched
		b.ReportAllocs()
		for b.Loop() {
			if err := r.p.Fetch(&a, &f); err != nil {
				b.Fatal(err)
			}
		}
	})
}
