package balance

import (
	"cmp"
	"slices"
)

// Node is a node that may take replicas.
type Node struct {
	ID   int32
	Rack string // "" when it has none
}

// Partition is where one partition lies. Replicas are in order of preference:
// the first shall lead.
type Partition struct {
	Topic    string
	Index    int32
	Replicas []int32
	Leader   int32 // -1 when it has none
	Bytes    int64 // of one replica
}

// Cluster is what a plan starts from.
type Cluster struct {
	Nodes      []Node
	Partitions []Partition
}

// countBytes is what a replica weighs beside its bytes, so that empty
// partitions are spread too: each costs a node some memory and requests.
const countBytes = 1 << 20

// weight is what a node carries with a replica.
func (p *Partition) weight() int64 { return p.Bytes + countBytes }

// work is a cluster while a plan is made.
type work struct {
	nodes  []Node // by id
	parts  []Partition
	before [][]int32 // the replicas of parts at the start
	why    [][]string
	load   map[int32]int64 // weight by node, of those that may take replicas
}

func begin(c Cluster) *work {
	w := &work{nodes: slices.Clone(c.Nodes), parts: slices.Clone(c.Partitions), load: map[int32]int64{}}
	slices.SortFunc(w.nodes, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(w.parts, func(a, b Partition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Index, b.Index))
	})
	w.why = make([][]string, len(w.parts))
	for i := range w.parts {
		p := &w.parts[i]
		w.before = append(w.before, p.Replicas)
		p.Replicas = slices.Clone(p.Replicas)
		for _, id := range p.Replicas {
			w.load[id] += p.weight()
		}
	}
	return w
}

func (w *work) node(id int32) (Node, bool) {
	i, ok := slices.BinarySearchFunc(w.nodes, id, func(n Node, id int32) int { return cmp.Compare(n.ID, id) })
	if !ok {
		return Node{}, false
	}
	return w.nodes[i], true
}

// rack is a node's rack; nodes without one are each a rack of their own.
func (w *work) rack(id int32) rack {
	if n, ok := w.node(id); ok && n.Rack != "" {
		return rack{name: n.Rack}
	}
	return rack{node: id}
}

// rack is a rack, or one node where no rack is known.
type rack struct {
	name string
	node int32
}

// swap lets to hold what from held of a partition, at the same place in the
// order of preference.
func (w *work) swap(i int, from, to int32, why string) {
	p := &w.parts[i]
	p.Replicas[slices.Index(p.Replicas, from)] = to
	w.load[from] -= p.weight()
	w.load[to] += p.weight()
	w.because(i, why)
}

func (w *work) because(i int, why string) {
	if !slices.Contains(w.why[i], why) {
		w.why[i] = append(w.why[i], why)
	}
}

// crowded is how many replicas of a partition share a rack with an earlier one.
func (w *work) crowded(replicas []int32) int {
	var seen []rack
	for _, id := range replicas {
		if r := w.rack(id); !slices.Contains(seen, r) {
			seen = append(seen, r)
		}
	}
	return len(replicas) - len(seen)
}
