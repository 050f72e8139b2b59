package balance

import "slices"

// Drain plans that a node holds nothing any more. Partitions that have no other
// node to go to are stuck.
func Drain(c Cluster, node int32) *Plan {
	w := begin(c)
	w.nodes = slices.DeleteFunc(w.nodes, func(n Node) bool { return n.ID == node })
	var stuck []Stuck
	for i := range w.parts {
		p := &w.parts[i]
		if !slices.Contains(p.Replicas, node) {
			continue
		}
		to, ok := w.taker(i, node)
		if !ok {
			stuck = append(stuck, w.stuck(i, "no node but its %d can hold it: add a node, or give the topic fewer replicas", len(p.Replicas)))
			continue
		}
		w.swap(i, node, to, "drained")
	}
	w.lead("drained", func(i int) bool { return len(w.why[i]) > 0 })
	return w.plan(stuck)
}

// Replace plans that one node holds what another one held, in the same order of
// preference.
func Replace(c Cluster, old, by int32) *Plan {
	w := begin(c)
	var stuck []Stuck
	for i := range w.parts {
		p := &w.parts[i]
		switch {
		case !slices.Contains(p.Replicas, old):
		case slices.Contains(p.Replicas, by):
			to, ok := w.taker(i, old, old)
			if !ok {
				stuck = append(stuck, w.stuck(i, "node %d holds a replica already, and no third node is there", by))
				continue
			}
			w.swap(i, old, to, "replaced")
		default:
			w.swap(i, old, by, "replaced")
		}
	}
	return w.plan(stuck)
}

// StepDown plans that a node leads nothing: it becomes the last in the order of
// preference, and keeps what it holds. Partitions with one replica are stuck.
func StepDown(c Cluster, node int32) *Plan {
	w := begin(c)
	var stuck []Stuck
	for i := range w.parts {
		p := &w.parts[i]
		at := slices.Index(p.Replicas, node)
		switch {
		case at < 0, at == len(p.Replicas)-1 && at > 0:
		case len(p.Replicas) == 1:
			stuck = append(stuck, w.stuck(i, "node %d has its only replica", node))
		default:
			p.Replicas = append(slices.Delete(p.Replicas, at, at+1), node)
			w.because(i, "steps down")
		}
	}
	w.leadBut(node, "steps down", func(i int) bool { return len(w.why[i]) > 0 })
	return w.plan(stuck)
}
