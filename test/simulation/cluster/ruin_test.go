package cluster

import "testing"

// TestALengthHidesOnlyWhatItEndsBehind: batches up to one where it ends, and none where
// it ends inside of one.
func TestALengthHidesOnlyWhatItEndsBehind(t *testing.T) {
	r := &ruin{at: 1, claims: map[int32]int{1: 100, 2: 164, 3: 228, 4: 230, 5: 100 + 64 + 64 + 70, 6: -20, 7: 1 << 20}}
	for _, size := range []int{90, 100, 64, 64, 70} {
		r.want.batches = append(r.want.batches, batchAt{bytes: make([]byte, size)})
	}
	for node, last := range map[int32]int{1: 1, 2: 2, 3: 3, 4: 1, 5: 4, 6: 1, 7: 1} {
		for i := range r.want.batches {
			if got, want := r.hides(node, i), i > 1 && i <= last; got != want {
				t.Errorf("a length of %d hides batch %d: %v", r.claims[node], i, got)
			}
		}
	}
}
