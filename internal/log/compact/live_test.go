package compact

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestTheLiveSetIsThatOfTheTable(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	for range 50 {
		var k Keys
		k.Reset(1<<20, 0.9, 1<<40)
		from, to := r.Int64N(1000), int64(0)
		last := map[string]int64{}
		for to = from; to < from+1+r.Int64N(400); to++ {
			key := fmt.Sprint(r.IntN(60))
			k.Put([]byte(key), to)
			last[key] = to
		}
		want := map[int64]bool{}
		for _, o := range last {
			want[o] = true
		}
		l := liveOf(&k, from, to)
		for o := from; o < to; o++ {
			if l.has(o) != want[o] {
				t.Fatalf("offset %d is live: %v, want %v", o, l.has(o), want[o])
			}
			end, none := min(o+r.Int64N(150), to-1), true
			for i := o; i <= end; i++ {
				none = none && !want[i]
			}
			if l.none(o, end) != none {
				t.Fatalf("none of [%d, %d]: %v, want %v", o, end, l.none(o, end), none)
			}
		}
		if l.covers(from-1, from) || l.covers(from, to) || !l.covers(from, to-1) {
			t.Fatalf("[%d, %d) covers what it should not, or not what it should", from, to)
		}
	}
	var k Keys
	k.Reset(1<<10, 0.9, 10)
	if liveOf(&k, 5, 5) != nil || liveOf(&k, 0, liveMost+1) != nil || (*live)(nil).covers(0, 0) {
		t.Error("an empty or too large range has a set")
	}
}
