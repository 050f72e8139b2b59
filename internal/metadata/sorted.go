package metadata

import (
	"iter"
	"slices"
)

// chunkMax bounds a chunk of a sorted map. A step copies, per index, the list
// of chunks (8 bytes a chunk) and the chunks it writes: at 10,000 entries about
// 3 KiB, at 1,000,000 about 130 KiB. A power of two near the square root of a
// large cluster keeps both halves small.
const chunkMax = 128

// owner marks what one draft may change in place: a chunk or an entity that
// carries the draft's own mark was made by it and no image shares it yet. The
// field makes every mark's address its own.
type owner struct{ _ byte }

// sorted is a persistent map in key order: a list of chunks of at most chunkMax
// entries. A copy of the struct is a snapshot; only an owner changes it, and it
// copies first what others may see. Look-ups are two binary searches and do not
// allocate. The zero value with cmp set is empty.
type sorted[K, V any] struct {
	cmp    func(a, b K) int
	chunks []*chunk[K, V] // none is empty
	len    int
	owner  *owner // whose list chunks is
}

type chunk[K, V any] struct {
	owner *owner
	keys  []K
	vals  []V
}

// chunkOf finds the chunk that holds k or would hold it, -1 when there is none.
func (s *sorted[K, V]) chunkOf(k K) int {
	lo, hi := 0, len(s.chunks)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if s.cmp(s.chunks[mid].keys[0], k) <= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 && len(s.chunks) > 0 {
		return 0
	}
	return lo - 1
}

// indexOf finds k in a chunk, or where it belongs.
func (s *sorted[K, V]) indexOf(c *chunk[K, V], k K) (int, bool) {
	lo, hi := 0, len(c.keys)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch d := s.cmp(c.keys[mid], k); {
		case d == 0:
			return mid, true
		case d < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo, false
}

func (s *sorted[K, V]) get(k K) (v V, ok bool) {
	if ci := s.chunkOf(k); ci >= 0 {
		c := s.chunks[ci]
		if i, found := s.indexOf(c, k); found {
			return c.vals[i], true
		}
	}
	return v, false
}

// all walks the entries in key order.
func (s *sorted[K, V]) all() iter.Seq2[K, V] {
	chunks := s.chunks
	return func(yield func(K, V) bool) {
		for _, c := range chunks {
			for i, k := range c.keys {
				if !yield(k, c.vals[i]) {
					return
				}
			}
		}
	}
}

// own makes chunk ci changeable by o, copying what o does not own yet.
func (s *sorted[K, V]) own(o *owner, ci int) *chunk[K, V] {
	s.ownList(o)
	c := s.chunks[ci]
	if c.owner != o {
		c = &chunk[K, V]{owner: o, keys: withRoom(c.keys), vals: withRoom(c.vals)}
		s.chunks[ci] = c
	}
	return c
}

func (s *sorted[K, V]) ownList(o *owner) {
	if s.owner != o {
		s.chunks = withRoom(s.chunks)
		s.owner = o
	}
}

// withRoom copies a list and leaves room for one more.
func withRoom[T any](list []T) []T {
	return append(make([]T, 0, len(list)+1), list...)
}

// set puts k, on behalf of o.
func (s *sorted[K, V]) set(o *owner, k K, v V) {
	ci := s.chunkOf(k)
	if ci < 0 {
		s.ownList(o)
		s.chunks = append(s.chunks, &chunk[K, V]{owner: o, keys: []K{k}, vals: []V{v}})
		s.len++
		return
	}
	c := s.own(o, ci)
	i, found := s.indexOf(c, k)
	if found {
		c.vals[i] = v
		return
	}
	s.len++
	c.keys = slices.Insert(c.keys, i, k)
	c.vals = slices.Insert(c.vals, i, v)
	if len(c.keys) > chunkMax {
		s.split(o, ci)
	}
}

// split halves chunk ci, which o owns.
func (s *sorted[K, V]) split(o *owner, ci int) {
	c := s.chunks[ci]
	at := len(c.keys) / 2
	right := &chunk[K, V]{owner: o, keys: withRoom(c.keys[at:]), vals: withRoom(c.vals[at:])}
	clear(c.keys[at:])
	clear(c.vals[at:])
	c.keys, c.vals = c.keys[:at], c.vals[:at]
	s.chunks = slices.Insert(s.chunks, ci+1, right)
}

// remove takes k out, on behalf of o.
func (s *sorted[K, V]) remove(o *owner, k K) {
	ci := s.chunkOf(k)
	if ci < 0 {
		return
	}
	if _, found := s.indexOf(s.chunks[ci], k); !found {
		return
	}
	c := s.own(o, ci)
	i, _ := s.indexOf(c, k)
	s.len--
	c.keys = slices.Delete(c.keys, i, i+1)
	c.vals = slices.Delete(c.vals, i, i+1)
	if len(c.keys) == 0 {
		s.chunks = slices.Delete(s.chunks, ci, ci+1)
	} else {
		s.merge(o, ci)
	}
}

// merge joins chunk ci with a neighbour when both are small, so that deletions
// leave no trail of tiny chunks.
func (s *sorted[K, V]) merge(o *owner, ci int) {
	for _, left := range [...]int{ci - 1, ci} {
		if left < 0 || left+1 >= len(s.chunks) || len(s.chunks[left].keys)+len(s.chunks[left+1].keys) > chunkMax/2 {
			continue
		}
		c, right := s.own(o, left), s.chunks[left+1]
		c.keys = append(c.keys, right.keys...)
		c.vals = append(c.vals, right.vals...)
		s.chunks = slices.Delete(s.chunks, left+1, left+2)
		return
	}
}
