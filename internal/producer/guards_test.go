package producer

import (
	"math/rand/v2"
	"testing"
)

// guarded is a transactional batch of a client.
func guarded(id int64, epoch int16, seq int32) func(g *Guards, given Guard, remembers bool) Verdict {
	h := header(id, epoch, seq, 1, 0)
	h.Attributes |= 1 << 4
	return func(g *Guards, given Guard, remembers bool) Verdict { return g.Check(h, given, remembers) }
}

func TestAGuardIsGoodUntilTheProducerWroteOrItsTransactionEnded(t *testing.T) {
	var g Guards
	batch := guarded(7, 1, 0)
	if v := batch(&g, 0, false); v != InvalidTxnState {
		t.Errorf("without a guard: %v", v)
	}
	first := g.Ask(7, 1, 0, false, 100)
	if again := g.Ask(7, 1, 5, false, 200); again != first || first == 0 {
		t.Errorf("two that ask at once got guards %d and %d", first, again)
	}
	for given, want := range map[Guard]Verdict{first: Accept, 0: InvalidTxnState, first + 1: InvalidTxnState} {
		if v := batch(&g, given, false); v != want {
			t.Errorf("guard %d of %d: %v, want %v", given, first, v, want)
		}
	}
	g.Written(7)
	if v := batch(&g, first, false); v != InvalidTxnState || g.Len() != 0 {
		t.Errorf("after the marker: %v, %d left", v, g.Len())
	}
	// The next transaction is asked about anew; the old answer is not good for it.
	second := g.Ask(7, 1, 0, false, 300)
	if v := batch(&g, first, false); v != InvalidTxnState || second == first {
		t.Errorf("a guard of the transaction before: %v", v)
	}
	g.Expire(300)
	if v := batch(&g, second, false); v != Accept {
		t.Errorf("before its time: %v", v)
	}
	g.Expire(301)
	if v := batch(&g, second, false); v != InvalidTxnState {
		t.Errorf("expired: %v", v)
	}
	third := g.Ask(7, 1, 0, false, 400)
	g.Reset()
	if v := batch(&g, third, false); v != InvalidTxnState || g.Ask(7, 1, 0, false, 500) == third {
		t.Errorf("after a reset: %v", v)
	}
}

func TestTheFirstOfThoseThatAskMustComeFirst(t *testing.T) {
	for _, tc := range []struct {
		name             string
		asks             [][2]int32 // epoch, sequence
		bumps, remembers bool
		epoch            int16
		seq              int32
		want             Verdict
	}{
		{"the one that asked", [][2]int32{{1, 4}}, false, false, 1, 4, Accept},
		{"a later one overtakes", [][2]int32{{1, 4}}, false, true, 1, 5, OutOfOrder},
		{"a later one asks first", [][2]int32{{1, 5}, {1, 4}}, false, true, 1, 5, OutOfOrder},
		{"an earlier one asks last", [][2]int32{{1, 5}, {1, 4}}, false, true, 1, 4, Accept},
		{"a newer epoch begins anew", [][2]int32{{1, 0}, {2, 3}}, false, true, 2, 3, Accept},
		{"an older epoch changes nothing", [][2]int32{{2, 3}, {1, 0}}, false, true, 2, 3, Accept},
		{"with a new epoch each time sequences begin at 0", [][2]int32{{1, 4}}, true, false, 1, 4, OutOfOrder},
		{"and do", [][2]int32{{1, 0}}, true, false, 1, 0, Accept},
		{"unless batches are remembered", [][2]int32{{1, 4}}, true, true, 1, 4, Accept},
		{"a coordinator's write has no sequence", [][2]int32{{1, -1}}, true, false, 1, -1, Accept},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var g Guards
			var guard Guard
			for _, a := range tc.asks {
				guard = g.Ask(7, int16(a[0]), a[1], tc.bumps, 0)
			}
			if v := guarded(7, tc.epoch, tc.seq)(&g, guard, tc.remembers); v != tc.want {
				t.Errorf("got %v, want %v", v, tc.want)
			}
		})
	}
}

func TestGuardsAreBounded(t *testing.T) {
	var g Guards
	r := rand.New(rand.NewPCG(1, 2))
	given := map[int64]Guard{}
	for n := range int64(5 * maxGuards) {
		if r.IntN(3) == 0 {
			g.Written(r.Int64N(n + 1))
		}
		given[n] = g.Ask(n, 0, 0, false, n)
		if g.Len() > maxGuards || len(g.order) > 2*maxGuards {
			t.Fatalf("%d producers, %d places after %d asks", g.Len(), len(g.order), n+1)
		}
	}
	newest := int64(5*maxGuards - 1)
	if v := guarded(newest, 0, 0)(&g, given[newest], false); v != Accept {
		t.Errorf("the newest: %v", v)
	}
	if v := guarded(0, 0, 0)(&g, given[0], false); v != InvalidTxnState {
		t.Errorf("the oldest of %d: %v", len(given), v)
	}
	for id := range given {
		g.Written(id)
	}
	if g.Len() != 0 || len(g.order) != 0 {
		t.Errorf("%d producers, %d places when all have written", g.Len(), len(g.order))
	}
}

// TestGuardsAgreeWithAList holds them against a list that is looked through.
func TestGuardsAgreeWithAList(t *testing.T) {
	type twin struct {
		guard  Guard
		at     int64
		epoch  int16
		lowest int32
	}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		var g Guards
		list := map[int64]twin{}
		seen := map[Guard]bool{}
		for now := range int64(400) {
			id, epoch, seq := r.Int64N(6), int16(r.IntN(3)), int32(r.IntN(8))
			switch r.IntN(6) {
			case 0, 1, 2:
				got := g.Ask(id, epoch, seq, false, now)
				x, ok := list[id]
				switch {
				case !ok:
					if seen[got] {
						t.Fatalf("seed %d: guard %d was given twice", seed, got)
					}
					x = twin{got, now, epoch, seq}
				case epoch > x.epoch:
					x.epoch, x.lowest = epoch, seq
				case epoch == x.epoch:
					x.lowest = min(x.lowest, seq)
				}
				if x.guard != got {
					t.Fatalf("seed %d: guard %d, want %d", seed, got, x.guard)
				}
				list[id], seen[got] = x, true
			case 3:
				g.Written(id)
				delete(list, id)
			case 4:
				g.Expire(now - 20)
				for id, x := range list {
					if x.at < now-20 {
						delete(list, id)
					}
				}
			case 5:
				x, ok := list[id]
				want := Accept
				if !ok {
					want = InvalidTxnState
				} else if seq > x.lowest {
					want = OutOfOrder
				}
				if v := guarded(id, epoch, seq)(&g, x.guard, true); v != want {
					t.Fatalf("seed %d: sequence %d: %v, want %v", seed, seq, v, want)
				}
			}
			if g.Len() != len(list) {
				t.Fatalf("seed %d: %d producers, want %d", seed, g.Len(), len(list))
			}
		}
	}
}
