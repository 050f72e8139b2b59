package table

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

func hashOf(n uint64) (h Hash) {
	binary.LittleEndian.PutUint64(h[:], n*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint64(h[8:], n)
	return h
}

// twin is the same in the plainest way.
type twin struct {
	entries map[Hash]Entry
	taken   map[Hash]bool
}

func (w *twin) first(ms int64) (Entry, bool) {
	var out Entry
	found := false
	for h, e := range w.entries {
		if w.taken[h] || e.DueMs > ms {
			continue
		}
		if !found || e.DueMs < out.DueMs || e.DueMs == out.DueMs && e.Offset < out.Offset {
			out, found = e, true
		}
	}
	return out, found
}

func TestATableIsWhatItsPlainTwinIs(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var tb Table
		w := twin{map[Hash]Entry{}, map[Hash]bool{}}
		if seed%3 == 0 {
			tb.Loosen()
		}
		offset := int64(0)
		for step := range 3000 {
			h := hashOf(rng.Uint64N(200))
			r := tb.Find(h)
			_, there := w.entries[h]
			if there != (r != None) {
				t.Fatalf("seed %d, step %d: found %t, want %t", seed, step, r != None, there)
			}
			switch op := rng.IntN(10); {
			case op < 5:
				offset++
				e := Entry{Hash: h, DueMs: rng.Int64N(50), Offset: offset, Topic: int32(step % 7), Spread: -3, Size: 9}
				tb.Put(e)
				w.entries[h] = e
				delete(w.taken, h)
			case op < 7 && there:
				tb.Remove(r)
				delete(w.entries, h)
				delete(w.taken, h)
			case op < 8 && there:
				tb.Take(r)
				w.taken[h] = true
			case op < 9 && there:
				tb.Return(r)
				delete(w.taken, h)
			case !tb.loose:
				ms := rng.Int64N(50)
				want, ok := w.first(ms)
				got := tb.TakeDue(ms)
				if ok != (got != None) || ok && tb.Get(got) != want {
					t.Fatalf("seed %d, step %d: took %v, want %v, %t", seed, step, got, want, ok)
				}
				if ok {
					w.taken[want.Hash] = true
				}
			case step > 1500:
				tb.Tighten()
			}
			check(t, &tb, &w)
		}
	}
}

func check(t *testing.T, tb *Table, w *twin) {
	t.Helper()
	if tb.Len() != len(w.entries) || tb.Waiting() != len(w.entries)-len(w.taken) {
		t.Fatalf("%d entries, %d wait; want %d and %d", tb.Len(), tb.Waiting(), len(w.entries), len(w.entries)-len(w.taken))
	}
	var of [8]int
	for h, e := range w.entries {
		of[e.Topic]++
		r := tb.Find(h)
		if r == None || tb.Get(r) != e || tb.Taken(r) != w.taken[h] || !tb.Holds(r, e.Offset) || tb.Holds(r, e.Offset+1<<40) {
			t.Fatalf("entry %x is %v", h, r)
		}
	}
	for topic, n := range of {
		if got := tb.LenOf(int32(topic)); got != n {
			t.Fatalf("%d entries of topic %d, want %d", got, topic, n)
		}
	}
}

func TestEntriesOfOneTimeLeaveInTheOrderOfTheirOffsets(t *testing.T) {
	var tb Table
	for i := range 5000 {
		n := uint64(i * 7919 % 5000)
		tb.Put(Entry{Hash: hashOf(n), DueMs: int64(n / 100), Offset: int64(n)})
	}
	var got []int64
	for r := tb.TakeDue(1 << 40); r != None; r = tb.TakeDue(1 << 40) {
		got = append(got, tb.Get(r).Offset)
	}
	if len(got) != 5000 || !slices.IsSorted(got) {
		t.Errorf("%d entries left, in order: %t", len(got), slices.IsSorted(got))
	}
	if tb.Len() != 5000 || tb.Waiting() != 0 {
		t.Errorf("%d entries, %d wait", tb.Len(), tb.Waiting())
	}
}

func TestAllGivesEveryEntryAndStopsWhenTold(t *testing.T) {
	var tb Table
	for n := range uint64(3000) {
		tb.Put(Entry{Hash: hashOf(n), Offset: int64(n)})
	}
	tb.Remove(tb.Find(hashOf(5)))
	seen := map[int64]bool{}
	tb.All(func(r Ref, e Entry) bool { seen[tb.Get(r).Offset] = true; return tb.Get(r) == e })
	if len(seen) != 2999 || seen[5] {
		t.Errorf("%d entries seen", len(seen))
	}
	n := 0
	tb.All(func(Ref, Entry) bool { n++; return n < 10 })
	if n != 10 {
		t.Errorf("%d entries seen after it was told to stop at 10", n)
	}
	tb.All(func(Ref, Entry) bool { return true })
	for n := range uint64(3000) {
		if r := tb.Find(hashOf(n)); r != None {
			tb.Remove(r)
		}
	}
	if tb.Len() != 0 || tb.chunks != nil {
		t.Errorf("an empty table holds %d entries in %d chunks", tb.Len(), len(tb.chunks))
	}
}

// A million timers in at most 72 MB.
func TestAnEntryTakesLittleMemory(t *testing.T) {
	const n = 1 << 18
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var tb Table
	for i := range uint64(n) {
		tb.Put(Entry{Hash: hashOf(i), DueMs: int64(i % 1000), Offset: int64(i)})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := float64(after.HeapAlloc-before.HeapAlloc) / n; each > 72 || tb.Len() != n {
		t.Errorf("%d entries of %.1f bytes each, want at most 72", tb.Len(), each)
	}
}

func BenchmarkPut(b *testing.B) {
	b.ReportAllocs()
	var tb Table
	i := uint64(0)
	for b.Loop() {
		i++
		tb.Put(Entry{Hash: hashOf(i), DueMs: int64(hashOf(i)[3]) << 8, Offset: int64(i)})
	}
}
