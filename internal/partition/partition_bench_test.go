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

// BenchmarkFetchOfTransactions fetches at both isolation levels from a log of
// transactions, of which some are aborted: what read_committed costs.
func BenchmarkFetchOfTransactions(b *testing.B) {
	for _, aborted := range []int{0, 5} {
		r := osRig(b, plain())
		for n := range 2000 {
			id, epoch := int64(n%7), int16(n/7)
			r.put(batch(4, 1000, "x", from(id, epoch, 0), transactional), inTxn(0))
			r.put(marker(id, epoch+1, n%100 >= aborted), strict)
		}
		r.round()
		end := r.p.Offsets().LastStable
		for _, size := range []int{64 << 10, 1 << 20} {
			for name, isolation := range map[string]Isolation{"uncommitted": ReadUncommitted, "committed": ReadCommitted} {
				b.Run(fmt.Sprintf("%d%% aborted/%dKiB/%s", aborted, size>>10, name), func(b *testing.B) {
					a := at(0)
					a.MaxBytes, a.Isolation = size, isolation
					var f Fetched
					b.ReportAllocs()
					for b.Loop() {
						if err := r.p.Fetch(&a, &f); err != nil {
							b.Fatal(err)
						}
						b.SetBytes(int64(f.Slice.Len))
						f.Slice.Release()
						a.Offset = (a.Offset + 85) % (end - 300)
					}
				})
			}
		}
	}
}
