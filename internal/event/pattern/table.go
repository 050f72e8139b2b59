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
// is a trie of 64 ways with nodes of the slots in use (Bagwell, "Ideal Hash
// Trees", 2001).
type table[V any] struct{ root *tableNode[V] }

type tableNode[V any] struct {
	own   *owner
	used  uint64
	slots []tableSlot[V] // one for each bit of used
}

// tableSlot holds a value, or a node when below is set.
type tableSlot[V any] struct {
	hash  uint64
	below *tableNode[V]
	value V
}

const (
	tableBits = 6
	tableMask = 1<<tableBits - 1
)

// get finds a value.
func (t *table[V]) get(hash uint64) (v V, ok bool) {
	for n, h := t.root, hash; n != nil; h >>= tableBits {
		bit := uint64(1) << (h & tableMask)
		if n.used&bit == 0 {
			return v, false
		}
		s := &n.slots[bits.OnesCount64(n.used&(bit-1))]
		if s.below == nil {
			if s.hash != hash {
				return v, false
			}
			return s.value, true
		}
		n = s.below
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
	t.root = t.root.change(own, hash, 0, fn)
}

func (n *tableNode[V]) change(own *owner, hash uint64, depth int, fn func(V) (V, bool)) *tableNode[V] {
	bit, at := uint64(1)<<(hash>>(tableBits*depth)&tableMask), 0
	if n != nil {
		at = bits.OnesCount64(n.used & (bit - 1))
	}
	if n == nil || n.used&bit == 0 {
		var none V
		v, keep := fn(none)
		if !keep {
			return n
		}
		return n.insert(own, bit, at, tableSlot[V]{hash: hash, value: v})
	}
	switch s := &n.slots[at]; {
	case s.below != nil:
		below := s.below.change(own, hash, depth+1, fn)
		switch {
		case below == nil:
			return n.without(own, bit, at)
		case len(below.slots) == 1 && below.slots[0].below == nil:
			n = n.mine(own)
			n.slots[at] = below.slots[0] // no node for one value
		case below != s.below:
			n = n.mine(own)
			n.slots[at].below = below
		}
	case s.hash == hash:
		v, keep := fn(s.value)
		if !keep {
			return n.without(own, bit, at)
		}
		n = n.mine(own)
		n.slots[at].value = v
	default: // two hashes on one way: a node below tells them apart
		var none V
		v, keep := fn(none)
		if !keep {
			return n
		}
		below := split(own, depth+1, *s, tableSlot[V]{hash: hash, value: v})
		n = n.mine(own)
		n.slots[at] = tableSlot[V]{below: below}
	}
	return n
}

// split is a node with two slots.
func split[V any](own *owner, depth int, a, b tableSlot[V]) *tableNode[V] {
	x, y := a.hash>>(tableBits*depth)&tableMask, b.hash>>(tableBits*depth)&tableMask
	switch {
	case x == y:
		return &tableNode[V]{own, 1 << x, []tableSlot[V]{{below: split(own, depth+1, a, b)}}}
	case x > y:
		a, b = b, a
	}
	return &tableNode[V]{own, 1<<x | 1<<y, []tableSlot[V]{a, b}}
}

// insert is the node with one more slot.
func (n *tableNode[V]) insert(own *owner, bit uint64, at int, s tableSlot[V]) *tableNode[V] {
	switch {
	case n == nil:
		return &tableNode[V]{own, bit, []tableSlot[V]{s}}
	case n.own == own:
		n.used |= bit
		n.slots = slices.Insert(n.slots, at, s)
		return n
	}
	slots := make([]tableSlot[V], len(n.slots)+1)
	copy(slots, n.slots[:at])
	slots[at] = s
	copy(slots[at+1:], n.slots[at:])
	return &tableNode[V]{own, n.used | bit, slots}
}

// without is the node with one slot less, nil with none.
func (n *tableNode[V]) without(own *owner, bit uint64, at int) *tableNode[V] {
	switch {
	case len(n.slots) == 1:
		return nil
	case n.own == own:
		n.used &^= bit
		n.slots = slices.Delete(n.slots, at, at+1)
		return n
	}
	slots := make([]tableSlot[V], len(n.slots)-1)
	copy(slots, n.slots[:at])
	copy(slots[at:], n.slots[at+1:])
	return &tableNode[V]{own, n.used &^ bit, slots}
}

// mine is the node, or a copy if it is another's.
func (n *tableNode[V]) mine(own *owner) *tableNode[V] {
	if n.own == own {
		return n
	}
	return &tableNode[V]{own, n.used, slices.Clone(n.slots)}
}
