package partition

import (
	"testing"
	"unsafe"

	"ottla/internal/record"
)

// TestTheHotPathsAllocateNothing goes the whole way on a real file: append,
// wait, sync round (its own part is the log's business), answer; fetch.
func TestTheHotPathsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector allocates: only the calls are tried")
	}
	r := osRig(t, plain())
	w, s := new(quiet), new(deaf)
	plainBatch := batch(10, 100, "x")
	idempotent := batch(10, 100, "x", from(7, 0, 0))
	var got Appended
	args := AppendArgs{Acks: -1}
	r.p.Watch(s, 0, ReadUncommitted)

	measure := func(name string, f func()) {
		t.Helper()
		f()
		if n := testing.AllocsPerRun(500, f); n != 0 && !raceEnabled {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
	measure("append and await", func() {
		record.SetBaseOffset(plainBatch, 0)
		if err := r.p.Append(plainBatch, &args, &got); err != nil {
			t.Fatal(err)
		}
		if done, err := r.p.Await(w, got.End, -1); done || err != nil {
			t.Fatal(done, err)
		}
		r.p.onDurable(r.p.log.Load().End())
	})
	if w.n == 0 || s.n == 0 {
		t.Errorf("told %d waiters and %d fetches, want some", w.n, s.n)
	}
	measure("duplicate", func() {
		record.SetBaseOffset(idempotent, 0)
		if err := r.p.Append(idempotent, &args, &got); err != nil {
			t.Fatal(err)
		}
	})
	r.round()
	var f Fetched
	for _, i := range []Isolation{ReadUncommitted, ReadCommitted} {
		a := at(0)
		a.Isolation = i
		measure("fetch", func() {
			if err := r.p.Fetch(&a, &f); err != nil || f.Slice.Len == 0 {
				t.Fatal(f, err)
			}
			f.Slice.Release()
		})
		a = at(got.End)
		measure("fetch of nothing", func() {
			r.p.Watch(s, got.End, i)
			if err := r.p.Fetch(&a, &f); err != nil {
				t.Fatal(err)
			}
			r.p.Unwatch(s)
			_ = r.p.Offsets()
		})
	}
}

// deaf is a waiting fetch without memory.
type deaf struct{ n int }

func (d *deaf) Readable(int) { d.n++ }

func TestAnIdlePartitionIsSmall(t *testing.T) {
	size := unsafe.Sizeof(Partition{}) + unsafe.Sizeof(Config{})
	if size > 1000 {
		t.Errorf("a partition takes %d bytes, want less than 1000", size)
	}
}
