package balance

import "slices"

// lead changes the order of preference of the chosen partitions until no node
// could lead one more, and another one less, to be more alike. Nothing is
// copied.
//
// A partition is an edge from the node that is its first replica to each of its
// others. A path from a node that leads much to one that leads little, turned
// partition by partition, takes one leadership from the first to the last; when
// there is no such path, no order is more even.
func (w *work) lead(why string, chosen func(i int) bool) { w.leadBut(-1, why, chosen) }

// leadBut is lead with a node that shall lead nothing.
func (w *work) leadBut(not int32, why string, chosen func(i int) bool) {
	led := map[int32]int{}
	for _, n := range w.nodes {
		led[n.ID] = 0
	}
	for i := range w.parts {
		if len(w.parts[i].Replicas) > 0 {
			led[w.parts[i].Replicas[0]]++
		}
	}
	for w.turn(led, not, why, chosen) {
	}
}

// turn finds one path and turns it.
func (w *work) turn(led map[int32]int, not int32, why string, chosen func(i int) bool) bool {
	order := slices.Clone(w.nodes)
	slices.SortStableFunc(order, func(a, b Node) int { return led[b.ID] - led[a.ID] })
	for _, rich := range order {
		path := w.path(rich.ID, not, chosen, func(id int32) bool { return led[id] <= led[rich.ID]-2 })
		if path == nil {
			continue
		}
		for _, s := range path {
			p := &w.parts[s.part]
			at := slices.Index(p.Replicas, s.to)
			p.Replicas[0], p.Replicas[at] = p.Replicas[at], p.Replicas[0]
			w.because(s.part, why)
		}
		led[rich.ID]--
		led[path[len(path)-1].to]++
		return true
	}
	return false
}

// hop gives the lead of a partition to another of its replicas.
type hop struct {
	part int
	to   int32
}

// path is the shortest way of hops from a node to one that is poor.
func (w *work) path(from, not int32, chosen func(i int) bool, poor func(id int32) bool) []hop {
	came := map[int32]hop{} // by the node that the hop ends at
	back := map[int32]int32{}
	queue := []int32{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for i := range w.parts {
			p := &w.parts[i]
			if len(p.Replicas) < 2 || p.Replicas[0] != at || !chosen(i) {
				continue
			}
			for _, id := range p.Replicas[1:] {
				if _, seen := came[id]; seen || id == from || id == not {
					continue
				}
				if _, known := w.node(id); !known {
					continue
				}
				came[id], back[id] = hop{i, id}, at
				if poor(id) {
					return trace(came, back, from, id)
				}
				queue = append(queue, id)
			}
		}
	}
	return nil
}

func trace(came map[int32]hop, back map[int32]int32, from, to int32) []hop {
	var out []hop
	for at := to; at != from; at = back[at] {
		out = append(out, came[at])
	}
	slices.Reverse(out)
	return out
}
