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
	t.root = t.root.put(own, hash, 0, v)
}

func (n *tableNode[V]) put(own *owner, hash uint64, depth int, v V) *tableNode[V] {
	bit := uint64(1) << (hash >> (tableBits * depth) & tableMask)
	if n == nil {
		return &tableNode[V]{own, bit, []tableSlot[V]{{hash: hash, value: v}}}
	}
	at := bits.OnesCount64(n.used & (bit - 1))
	if n.used&bit == 0 {
		n = n.mine(own, 1)
		n.used |= bit
		n.slots = slices.Insert(n.slots, at, tableSlot[V]{hash: hash, value: v})
		return n
	}
	n = n.mine(own, 0)
	switch s := &n.slots[at]; {
	case s.below != nil:
		s.below = s.below.put(own, hash, depth+1, v)
	case s.hash == hash:
		s.value = v
	default: // two hashes on one way: a node below tells them apart
		below := (*tableNode[V])(nil).put(own, s.hash, depth+1, s.value)
		*s = tableSlot[V]{below: below.put(own, hash, depth+1, v)}
	}
	return n
}

// remove takes a value out; nothing happens if there is none.
func (t *table[V]) remove(own *owner, hash uint64) {
	t.root = t.root.remove(own, hash, 0)
}

func (n *tableNode[V]) remove(own *owner, hash uint64, depth int) *tableNode[V] {
	if n == nil {
		return nil
	}
	bit := uint64(1) << (hash >> (tableBits * depth) & tableMask)
	at := bits.OnesCount64(n.used & (bit - 1))
	if n.used&bit == 0 {
		return n
	}
	s := n.slots[at]
	if s.below == nil && s.hash != hash {
		return n
	}
	n = n.mine(own, 0)
	if s.below != nil {
		below := s.below.remove(own, hash, depth+1)
		switch {
		case below == nil:
		case len(below.slots) == 1 && below.slots[0].below == nil:
			n.slots[at] = below.slots[0] // no node for one value
			return n
		default:
			n.slots[at].below = below
			return n
		}
	}
	if n.used &^= bit; n.used == 0 {
		return nil
	}
	n.slots = slices.Delete(n.slots, at, at+1)
	return n
}

// mine is the node, or a copy if it is another's, with room for more slots.
func (n *tableNode[V]) mine(own *owner, room int) *tableNode[V] {
	if n.own == own {
		return n
	}
	return &tableNode[V]{own, n.used, append(make([]tableSlot[V], 0, len(n.slots)+room), n.slots...)}
}
