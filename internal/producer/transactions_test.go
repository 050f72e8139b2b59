package producer

import (
	"math/rand"
	"slices"
	"testing"
)

func TestOpenListStaysInOrderOfFirstOffsets(t *testing.T) {
	for seed := range int64(50) {
		rng := rand.New(rand.NewSource(seed))
		var l openList
		var want []int64
		entries := map[int64]*entry{}
		for range 100 {
			first := rng.Int63n(60)
			if e := entries[first]; e != nil {
				l.remove(e)
				delete(entries, first)
				want = slices.DeleteFunc(want, func(o int64) bool { return o == first })
				if e.prev != nil || e.next != nil {
					t.Fatal("a removed entry is still linked")
				}
			} else {
				e := newEntry(first)
				e.txnFirst = first
				entries[first] = e
				l.add(e)
				want = append(want, first)
				slices.Sort(want)
			}
			var forward, backward []int64
			for e := l.head; e != nil; e = e.next {
				forward = append(forward, e.txnFirst)
			}
			for e := l.tail; e != nil; e = e.prev {
				backward = append(backward, e.txnFirst)
			}
			slices.Reverse(backward)
			if !slices.Equal(forward, want) || !slices.Equal(backward, want) {
				t.Fatalf("seed %d: forward %v, backward %v, want %v", seed, forward, backward, want)
			}
		}
	}
}

func TestDecidedQueueKnowsTheEarliest(t *testing.T) {
	for seed := range int64(50) {
		rng := rand.New(rand.NewSource(seed))
		var q decidedQueue
		var all []decidedTxn
		marker, committed := int64(0), int64(0)
		for range 300 {
			if rng.Intn(2) == 0 {
				marker += 1 + rng.Int63n(5)
				txn := decidedTxn{first: rng.Int63n(marker), marker: marker}
				q.push(txn)
				all = append(all, txn)
			} else {
				committed = max(committed, rng.Int63n(marker+2))
				q.drop(committed)
			}
			least, any := int64(0), false
			for _, txn := range all {
				if txn.marker >= committed && (!any || txn.first < least) {
					least, any = txn.first, true
				}
			}
			if got, ok := q.first(); ok != any || ok && got != least {
				t.Fatalf("seed %d: below %d got %d %v, want %d %v", seed, committed, got, ok, least, any)
			}
		}
		if len(q.list) > 100 {
			t.Errorf("seed %d: the queue keeps %d entries of 300", seed, len(q.list))
		}
	}
}

func TestTransactionsOfKnownProducersAllocateNothing(t *testing.T) {
	s := NewState()
	const runs = 50
	data := header(7, 0, 0, 1, 0)
	data.Attributes |= 1 << 4
	m, batch := marker(t, 7, 0, false, 1, 0)
	step := func() {
		data.BaseOffset += 2
		m.BaseOffset = data.BaseOffset + 1
		if v, _ := s.Check(data); v != Accept {
			t.Fatal(v)
		}
		if _, _, err := s.Apply(data, nil); err != nil {
			t.Fatal(err)
		}
		data.BaseSequence++
		if _, ok, err := s.Apply(m, batch); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if _, ok := s.FirstUnstable(m.BaseOffset); !ok {
			t.Fatal("an uncommitted marker holds nothing back")
		}
		if _, ok := s.FirstUnstable(m.BaseOffset + 1); ok {
			t.Fatal("a committed marker holds something back")
		}
	}
	step()
	if n := testing.AllocsPerRun(runs, step); n > 1 { // parsing the marker's header is its own
		t.Errorf("%v allocations a transaction", n)
	}
}

func TestResetForgetsEverything(t *testing.T) {
	s := busy(t)
	s.Reset()
	if _, ok := s.FirstUnstable(0); ok || s.Len() != 0 || len(s.List()) != 0 || s.HasOpenTxn(4002, 0) {
		t.Errorf("%d producers are left", s.Len())
	}
	if v, _ := s.Check(header(4001, 0, 55, 1, 0)); v != Accept {
		t.Errorf("a forgotten producer is %v", v)
	}
}

func TestOpenTransactionsAreKnownByEpoch(t *testing.T) {
	s := busy(t)
	for _, c := range []struct {
		id    int64
		epoch int16
		want  bool
	}{{4002, 0, true}, {4002, 1, false}, {4001, 2, false}, {17, 10, false}, {99, 0, false}} {
		if got := s.HasOpenTxn(c.id, c.epoch); got != c.want {
			t.Errorf("producer %d epoch %d: %v, want %v", c.id, c.epoch, got, c.want)
		}
	}
}

func TestVerdictsHaveNames(t *testing.T) {
	for v := Accept; v <= FencedCoordinator; v++ {
		if v.String() == "" || v.String() == "unknown verdict" {
			t.Errorf("verdict %d has no name", v)
		}
	}
	if Verdict(99).String() != "unknown verdict" {
		t.Error("an unknown verdict has a name")
	}
}
