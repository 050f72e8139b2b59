package partition

import (
	"slices"
	"testing"

	"ottla/internal/log"
	"ottla/internal/record"
)

// helpful is a waiting fetch that leaves its work to the appender.
type helpful struct {
	sleeper
	left int // what it was told by ReadableBy
	done int // how often its work was done
	woke int // how often there was no room
}

func (h *helpful) ReadableBy(n int, w *Woken) {
	h.left = n
	if !w.Add(func() { h.done++ }) {
		h.woke++
	}
}

func TestWhoAppendsSeesToTheWaitingFetches(t *testing.T) {
	r := memRig(t, func(c *Config) { c.Log.Durability = log.Memory })
	fetches := make([]helpful, maxWoken+1)
	plain := &sleeper{}
	r.p.Watch(plain, 0, ReadUncommitted)
	for i := range fetches {
		r.p.Watch(&fetches[i], 0, ReadUncommitted)
	}
	var woken Woken
	var got Appended
	if err := r.p.Append(numberedBatch(&record.Builder{}, 1, 0), &AppendArgs{Acks: -1, Woken: &woken}, &got); err != nil {
		t.Fatal(err)
	}
	for i := range fetches {
		if fetches[i].left <= 0 || fetches[i].done != 0 {
			t.Errorf("fetch %d: told of %d bytes, its work done %d times before the append is over", i, fetches[i].left, fetches[i].done)
		}
	}
	if len(plain.take()) != 1 {
		t.Error("a waiter that cannot leave its work to others was not told")
	}
	woken.Run()
	woken.Run() // empty now
	for i := range fetches {
		if want := 1; fetches[i].done+fetches[i].woke != want {
			t.Errorf("fetch %d: work done %d times, refused %d times, want one of them once", i, fetches[i].done, fetches[i].woke)
		}
	}
	if n := fetches[maxWoken].woke; n != 1 {
		t.Errorf("the fetch above the bound was refused %d times, want 1", n)
	}
	if err := r.p.Append(numberedBatch(&record.Builder{}, 1, 1), &AppendArgs{Acks: -1}, &got); err != nil {
		t.Fatal(err)
	}
	if calls := fetches[0].take(); !slices.ContainsFunc(calls, func(n int) bool { return n > 0 }) {
		t.Errorf("without Woken the fetch was told %v by Readable", calls)
	}
}
