package history

import "slices"

// cycles is G1c: it forbids transactions that have read each other's writes in
// a circle. Write cycles (G0) are legal: transactions interleave in a log.
func cycles(v *view, r *Report) {
	edges := make(map[int32][]int32) // from the writer to the reader
	for _, i := range v.order {
		op := &v.ops[i]
		if op.Kind != Txn || !op.Committed {
			continue
		}
		for _, m := range op.Micro {
			if m.Kind != Poll {
				continue
			}
			for _, rec := range m.Records {
				if w := v.written(rec.Value()); w != nil && w.txn && w.op != i {
					edges[w.op] = append(edges[w.op], i)
				}
			}
		}
	}
	nodes := make([]int32, 0, len(edges))
	for n, to := range edges {
		nodes = append(nodes, n)
		slices.Sort(to)
		edges[n] = slices.Compact(to)
	}
	slices.Sort(nodes)
	for _, c := range components(nodes, edges) {
		r.add("g1c", "the transactions of operations %v read each other's writes in a circle", c)
	}
}

// tarjan is the state of the search for strongly connected components. It keeps
// its own stack: a chain of a million transactions must not be a recursion.
type tarjan struct {
	edges map[int32][]int32
	index map[int32]int // from 1, in the order of visits
	low   map[int32]int
	on    map[int32]bool
	stack []int32
	found [][]int32
}

// frame is one node being visited and how many of its edges are done.
type frame struct {
	node int32
	done int
}

// components returns the strongly connected components of two nodes or more,
// each sorted.
func components(nodes []int32, edges map[int32][]int32) [][]int32 {
	t := &tarjan{edges: edges, index: map[int32]int{}, low: map[int32]int{}, on: map[int32]bool{}}
	for _, n := range nodes {
		if t.index[n] == 0 {
			t.visit(n)
		}
	}
	return t.found
}

func (t *tarjan) enter(n int32) frame {
	t.index[n] = len(t.index) + 1
	t.low[n] = t.index[n]
	t.stack = append(t.stack, n)
	t.on[n] = true
	return frame{node: n}
}

func (t *tarjan) visit(root int32) {
	calls := []frame{t.enter(root)}
	for len(calls) > 0 {
		top := &calls[len(calls)-1]
		if to := t.edges[top.node]; top.done < len(to) {
			next := to[top.done]
			top.done++
			switch {
			case t.index[next] == 0:
				calls = append(calls, t.enter(next))
			case t.on[next]:
				t.low[top.node] = min(t.low[top.node], t.index[next])
			}
			continue
		}
		n := top.node
		calls = calls[:len(calls)-1]
		if len(calls) > 0 {
			parent := calls[len(calls)-1].node
			t.low[parent] = min(t.low[parent], t.low[n])
		}
		if t.low[n] == t.index[n] {
			t.leave(n)
		}
	}
}

// leave takes a whole component off the stack.
func (t *tarjan) leave(root int32) {
	i := len(t.stack) - 1
	for t.stack[i] != root { // it is near the top: each node is passed once
		i--
	}
	c := slices.Clone(t.stack[i:])
	t.stack = t.stack[:i]
	for _, n := range c {
		t.on[n] = false
	}
	if len(c) > 1 {
		slices.Sort(c)
		t.found = append(t.found, c)
	}
}
