package compact

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestKeysAgreeWithAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var k Keys
	for round := range 20 {
		k.Reset(int64(1+r.IntN(300))*entrySize, 0.5+r.Float64()*0.49, 1<<40)
		twin := map[string]int64{}
		refused := ""
		for o := range int64(500) {
			key := fmt.Sprint(r.IntN(200))
			if !k.Put([]byte(key), o) {
				if _, known := twin[key]; known {
					t.Fatalf("round %d: a known key was refused", round)
				}
				refused = key
				continue
			}
			twin[key] = o
		}
		if k.Len() != len(twin) {
			t.Fatalf("round %d: %d keys, want %d", round, k.Len(), len(twin))
		}
		for i := range 250 {
			want, ok := twin[fmt.Sprint(i)]
			if !ok {
				want = -1
			}
			if got := k.Last(fmt.Append(nil, i)); got != want {
				t.Fatalf("round %d: key %d was last at %d, want %d", round, i, got, want)
			}
		}
		if refused == "" && len(twin) < 150 {
			t.Fatalf("round %d: %d keys and none refused", round, len(twin))
		}
	}
}

func TestKeysTakeNoMoreThanTheyAreGiven(t *testing.T) {
	var k Keys
	k.Reset(1000*entrySize, 0.9, 1<<40)
	if len(k.slots) != 1000 || k.max != 900 {
		t.Errorf("%d slots for %d keys, want 1000 and 900", len(k.slots), k.max)
	}
	k.Reset(90_000*entrySize, 0.9, 1<<40) // grows, and never holds more than it was given
	for o, held := int64(0), len(k.slots); ; o++ {
		if !k.Put(fmt.Append(nil, o), o) {
			if len(k.slots) != 60_000 || k.n != 54_000 {
				t.Errorf("full with %d keys in %d slots, want 54000 in 60000", k.n, len(k.slots))
			}
			break
		}
		if n := len(k.slots); n != held && n+held > 90_000 {
			t.Fatalf("grew from %d to %d slots, more than 90000 together", held, n)
		}
		held = len(k.slots)
	}
	for o := range int64(54_000) {
		if k.Last(fmt.Append(nil, o)) != o {
			t.Fatalf("key %d was lost while the table grew", o)
		}
	}
	k.Reset(1<<40, 0.9, 90)
	if len(k.slots) > 200 || k.max < 90 {
		t.Errorf("%d slots for 90 keys at most", len(k.slots))
	}
	for _, load := range []float64{0, -1, 1, 7} {
		k.Reset(0, load, 1<<40)
		if len(k.slots) != leastSlots || k.max >= leastSlots || k.max < 1 {
			t.Errorf("load factor %v: %d keys in %d slots: a search could run for ever", load, k.max, len(k.slots))
		}
	}
	k.Reset(1<<20, 0.9, 1<<40)
	k.Release(1 << 30)
	if cap(k.slots) == 0 {
		t.Error("memory within the bound was let go")
	}
	k.Release(1 << 10)
	if cap(k.slots) != 0 {
		t.Error("memory above the bound was kept")
	}
}

func TestLookingUpAKeyAllocatesNothing(t *testing.T) {
	var k Keys
	k.Reset(1<<20, 0.9, 1<<40)
	key := []byte("customer-4711")
	if n := testing.AllocsPerRun(100, func() {
		k.Put(key, 5)
		if k.Last(key) != 5 {
			t.Fatal("lost")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
