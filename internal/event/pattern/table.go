package pattern

import (
	"math/bits"
	"slices"
)

// owner is whose nodes may be changed in place: those that an Edit made itself.
// All others are shared with Sets that somebody may read.
type owner struct{ _ byte }

// table maps hashes to values and is shared between versions: a change copies
// the few nodes on the way to its place, and one of an Edit's own copies none. It
// is a trie of 64 ways (Bagwell, "Ideal Hash Trees", 2001) whose nodes keep values
// apart from what lies below, so that the upper ones, which are full, are small to
// copy (Steindorfer and Vinju, "Optimizing Hash-Array Mapped Tries", 2015).
type table[V any] struct{ root *tableNode[V] }

type tableNode[V any] struct {
	nodes, values uint64          // which ways lead to a node, and which to a value
	leaves        []tableLeaf[V]  // one for each bit of values
	below         []*tableNode[V] // one for each bit of nodes
	own           *owner
}

type tableLeaf[V any] struct {
	hash  uint64
	value V
}

const (
	tableBits = 6
	tableMask = 1<<tableBits - 1
)

// way is the bit of a hash in the nodes of a depth.
func way(hash uint64, depth int) uint64 { return 1 << (hash >> (tableBits * depth) & tableMask) }

// rank is where a bit of a set stands among those that are in it.
func rank(set, bit uint64) int { return bits.OnesCount64(set & (bit - 1)) }

// get finds a value.
func (t *table[V]) get(hash uint64) (v V, ok bool) {
	for n, h := t.root, hash; n != nil; h >>= tableBits {
		bit := uint64(1) << (h & tableMask)
		switch {
		case n.nodes&bit != 0:
			n = n.below[rank(n.nodes, bit)]
			continue
		case n.values&bit != 0:
			if l := &n.leaves[rank(n.values, bit)]; l.hash == hash {
				return l.value, true
			}
		}
		return v, false
	}
	return v, false
}

// put sets a value.
func (t *table[V]) put(own *owner, hash uint64, v V) {
	t.change(own, hash, func(V) (V, bool) { return v, true })
}

// remove takes a value out; nothing happens if there is none.
func (t *table[V]) remove(own *owner, hash uint64) {
	t.change(own, hash, func(v V) (V, bool) { return v, false })
}

// change gives fn the value of a hash, zero if there is none; it returns the one to
// be there from now on, and whether one shall.
func (t *table[V]) change(own *owner, hash uint64, fn func(V) (V, bool)) {
	if t.root == nil {
		t.root = &tableNode[V]{own: own}
	}
	if t.root = t.root.change(own, hash, 0, fn); t.root.nodes|t.root.values == 0 {
		t.root = nil
	}
}

func (n *tableNode[V]) change(own *owner, hash uint64, depth int, fn func(V) (V, bool)) *tableNode[V] {
	bit := way(hash, depth)
	if n.nodes&bit != 0 {
		at := rank(n.nodes, bit)
		below := n.below[at].change(own, hash, depth+1, fn)
		switch {
		case below.nodes == 0 && len(below.leaves) == 1: // no node for one value
			n = n.mine(own)
			n.below, n.nodes = slices.Delete(n.below, at, at+1), n.nodes&^bit
			n.insert(bit, below.leaves[0])
		case below != n.below[at]:
			n = n.mine(own)
			n.below[at] = below
		}
		return n
	}
	at, there := rank(n.values, bit), n.values&bit != 0
	var old V
	same := there && n.leaves[at].hash == hash
	if same {
		old = n.leaves[at].value
	}
	v, keep := fn(old)
	switch {
	case !keep && !same:
		return n
	case !keep:
		n = n.mine(own)
		n.remove(bit)
	case same:
		n = n.mine(own)
		n.leaves[at].value = v
	case !there:
		n = n.mine(own)
		n.insert(bit, tableLeaf[V]{hash, v})
	default: // two hashes on one way: a node below tells them apart
		below := split(own, depth+1, n.leaves[at], tableLeaf[V]{hash, v})
		n = n.mine(own)
		n.remove(bit)
		n.below = slices.Insert(n.below, rank(n.nodes, bit), below)
		n.nodes |= bit
	}
	return n
}

// split is a node with two values.
func split[V any](own *owner, depth int, a, b tableLeaf[V]) *tableNode[V] {
	n := &tableNode[V]{own: own}
	if x, y := way(a.hash, depth), way(b.hash, depth); x == y {
		n.nodes, n.below = x, []*tableNode[V]{split(own, depth+1, a, b)}
	} else if n.values = x | y; x < y {
		n.leaves = []tableLeaf[V]{a, b}
	} else {
		n.leaves = []tableLeaf[V]{b, a}
	}
	return n
}

// insert adds a value to a node that may be changed.
func (n *tableNode[V]) insert(bit uint64, l tableLeaf[V]) {
	n.leaves = slices.Insert(n.leaves, rank(n.values, bit), l)
	n.values |= bit
}

// remove takes a value out of a node that may be changed.
func (n *tableNode[V]) remove(bit uint64) {
	at := rank(n.values, bit)
	n.leaves = slices.Delete(n.leaves, at, at+1)
	n.values &^= bit
}

// mine is the node, or a copy if it is another's, with room for one value more.
func (n *tableNode[V]) mine(own *owner) *tableNode[V] {
	if n.own == own {
		return n
	}
	c := &tableNode[V]{nodes: n.nodes, values: n.values, own: own}
	if len(n.leaves) > 0 {
		c.leaves = append(make([]tableLeaf[V], 0, len(n.leaves)+1), n.leaves...)
	}
	if len(n.below) > 0 {
		c.below = append(make([]*tableNode[V], 0, len(n.below)), n.below...)
	}
	return c
}
