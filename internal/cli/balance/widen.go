package balance

import "slices"

// Widen plans that every partition of the topics named has so many replicas at
// least: those it has, and the nodes that bring its racks no closer together and
// have the least to carry. Who leads stays. A partition that would need more nodes
// than there are is stuck.
func Widen(c Cluster, replicas int, topics ...string) *Plan {
	w := begin(c)
	var stuck []Stuck
	for i := range w.parts {
		p := &w.parts[i]
		if !slices.Contains(topics, p.Topic) {
			continue
		}
		for len(p.Replicas) < replicas {
			id, ok := w.adds(i)
			if !ok {
				stuck = append(stuck, w.stuck(i, "no node but its %d can hold another replica: let nodes join", len(p.Replicas)))
				break
			}
			p.Replicas = append(p.Replicas, id)
			w.load[id] += p.weight()
			w.because(i, "more replicas")
		}
	}
	return w.plan(stuck)
}

// adds chooses the node that takes one more replica of a partition.
func (w *work) adds(i int) (int32, bool) {
	p := &w.parts[i]
	best, found, bestCrowd := int32(-1), false, 0
	for _, n := range w.nodes {
		if slices.Contains(p.Replicas, n.ID) {
			continue
		}
		crowd := w.crowded(append(slices.Clone(p.Replicas), n.ID))
		if !found || crowd < bestCrowd || crowd == bestCrowd && w.load[n.ID] < w.load[best] {
			best, found, bestCrowd = n.ID, true, crowd
		}
	}
	return best, found
}
