package metadata

import (
	"cmp"
	"maps"
	"math/rand"
	"slices"
	"testing"
)

// twin is the naive sorted map.
type twin map[int]int

func checkSorted(t *testing.T, s *sorted[int, int], want twin) {
	t.Helper()
	if s.len != len(want) {
		t.Fatalf("len = %d, want %d", s.len, len(want))
	}
	keys := slices.Sorted(maps.Keys(want))
	i := 0
	for k, v := range s.all() {
		if i >= len(keys) || k != keys[i] || v != want[k] {
			t.Fatalf("entry %d is %d=%d, want key %v", i, k, v, keys[min(i, len(keys)-1)])
		}
		i++
	}
	if i != len(keys) {
		t.Fatalf("all gives %d entries, want %d", i, len(keys))
	}
	for n, c := range s.chunks {
		if len(c.keys) == 0 || len(c.keys) > chunkMax || len(c.keys) != len(c.vals) {
			t.Fatalf("chunk %d of %d has %d keys and %d values", n, len(s.chunks), len(c.keys), len(c.vals))
		}
	}
}

func TestASortedMapAgreesWithANaiveOneAndItsSnapshotsStay(t *testing.T) {
	for seed := int64(1); seed <= 4; seed++ {
		rng := rand.New(rand.NewSource(seed))
		s := sorted[int, int]{cmp: cmp.Compare[int]}
		want := twin{}
		type snapshot struct {
			s    sorted[int, int]
			want twin
		}
		var snapshots []snapshot
		o := new(owner)
		span := []int{40, 400, 4000, 40000}[seed-1]
		for step := range 12_000 {
			k := rng.Intn(span)
			switch {
			case rng.Intn(200) == 0: // seal
				snapshots = append(snapshots, snapshot{s, maps.Clone(want)})
				o = new(owner)
			case rng.Intn(100) < []int{65, 35}[step/2000%2]: // grow and shrink in turns
				s.set(o, k, step)
				want[k] = step
			default:
				s.remove(o, k)
				delete(want, k)
			}
			got, ok := s.get(k)
			if v, has := want[k]; ok != has || got != v {
				t.Fatalf("seed %d step %d: get(%d) = %d %v, want %d %v", seed, step, k, got, ok, v, has)
			}
		}
		checkSorted(t, &s, want)
		for i := range snapshots {
			checkSorted(t, &snapshots[i].s, snapshots[i].want)
		}
	}
}

func TestASortedMapStaysCompactWhenItShrinks(t *testing.T) {
	s := sorted[int, int]{cmp: cmp.Compare[int]}
	o := new(owner)
	for k := range 20_000 {
		s.set(o, k, k)
	}
	if n := len(s.chunks); n > 2*20_000/chunkMax+1 {
		t.Errorf("20000 entries in %d chunks", n)
	}
	for k := range 20_000 {
		if k%50 != 0 {
			s.remove(o, k)
		}
	}
	if n := len(s.chunks); n > 20 {
		t.Errorf("400 entries are left in %d chunks", n)
	}
	for k := range 20_000 {
		s.remove(o, k)
	}
	if s.len != 0 || len(s.chunks) != 0 {
		t.Errorf("empty, but len %d and %d chunks", s.len, len(s.chunks))
	}
}

func TestAnEmptySortedMapAnswers(t *testing.T) {
	s := sorted[int, int]{cmp: cmp.Compare[int]}
	if _, ok := s.get(1); ok {
		t.Error("an empty map has an entry")
	}
	s.remove(new(owner), 1)
	for k := range s.all() {
		t.Errorf("an empty map lists %d", k)
	}
}
