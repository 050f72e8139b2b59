package quorum

import (
	"math/rand/v2"
	"testing"
)

// naive is the index as a plain list of entries.
type naive struct {
	index      uint64
	start, end int64
	term       int32
}

// The index against a list, under random appends, truncations and compactions.
func TestIndexAgreesWithAList(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		base := naive{index: r.Uint64N(100), end: r.Int64N(1000), term: int32(r.IntN(3))}
		x := entryIndex{base: base.index, baseTerm: uint64(base.term), baseOffset: base.end}
		var list []naive
		last := func() naive {
			if len(list) == 0 {
				return base
			}
			return list[len(list)-1]
		}
		for range 300 {
			switch n := r.IntN(10); {
			case n < 7:
				e := naive{last().index + 1, last().end, last().end + 1 + r.Int64N(9), last().term + int32(r.IntN(5)/4)}
				if err := x.add(e.start, e.end, e.term); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				list = append(list, e)
			case n == 7 && len(list) > 0:
				at := r.IntN(len(list))
				x.truncate(list[at].index)
				list = list[:at]
			case n == 8 && len(list) > 0:
				at := r.IntN(len(list))
				x.compact(list[at].index)
				base, list = list[at], append([]naive(nil), list[at+1:]...)
			case n == 9:
				if x.add(last().end+1, last().end+2, last().term) == nil || x.add(last().end, last().end, last().term) == nil ||
					last().term > 0 && x.add(last().end, last().end+1, last().term-1) == nil {
					t.Fatalf("seed %d: an entry that does not fit was taken", seed)
				}
			}
			compare(t, seed, &x, base, list)
		}
	}
}

func compare(t *testing.T, seed uint64, x *entryIndex, base naive, list []naive) {
	t.Helper()
	if x.base != base.index || x.baseOffset != base.end || x.baseTerm != uint64(base.term) {
		t.Fatalf("seed %d: base %d at %d, want %+v", seed, x.base, x.baseOffset, base)
	}
	for _, e := range list {
		term, ok := x.term(e.index)
		if !ok || term != uint64(e.term) || x.startOf(e.index) != e.start || x.endOf(e.index) != e.end {
			t.Fatalf("seed %d: entry %d is %d %d-%d, want %+v", seed, e.index, term, x.startOf(e.index), x.endOf(e.index), e)
		}
		for _, offset := range []int64{e.start, e.end - 1} {
			if i, ok := x.at(offset); !ok || i != e.index {
				t.Fatalf("seed %d: offset %d is in entry %d, want %d", seed, offset, i, e.index)
			}
		}
	}
	if _, ok := x.at(x.end()); ok {
		t.Fatalf("seed %d: an offset beyond the end has an entry", seed)
	}
	if _, ok := x.term(x.last() + 1); ok {
		t.Fatalf("seed %d: an entry beyond the last has a term", seed)
	}
}
