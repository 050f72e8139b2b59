package balance

import "slices"

// taker chooses the node that takes a replica of a partition from one of its
// nodes: a node that has none yet, that brings its racks no closer together,
// and among those the one with the least to carry, then the lowest number. The
// racks are judged first and strictly: a replica in a rack of its own is worth
// more than even disks.
func (w *work) taker(i int, from int32, not ...int32) (int32, bool) {
	p := &w.parts[i]
	best, found, bestCrowd := int32(-1), false, 0
	for _, n := range w.nodes {
		if slices.Contains(p.Replicas, n.ID) || slices.Contains(not, n.ID) {
			continue
		}
		crowd := w.crowded(replaced(p.Replicas, from, n.ID))
		if !found || crowd < bestCrowd || crowd == bestCrowd && w.load[n.ID] < w.load[best] {
			best, found, bestCrowd = n.ID, true, crowd
		}
	}
	return best, found
}

// replaced is a list of replicas with one node in another's place.
func replaced(replicas []int32, from, to int32) []int32 {
	out := slices.Clone(replicas)
	for i, id := range out {
		if id == from {
			out[i] = to
		}
	}
	return out
}
