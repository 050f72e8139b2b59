package slab

import "sync"

// The sizes grow by four from Min to Max; larger buffers are made to measure
// and left to the garbage collector, since few requests need them and a pool
// of them would pin much memory.
const (
	Min = 4 << 10
	Max = 4 << 20
)

const classes = 6 // 4 KiB, 16 KiB, 64 KiB, 256 KiB, 1 MiB, 4 MiB

var pools [classes]sync.Pool

// Slab is a buffer on loan: B has the full size, its content is stale.
type Slab struct {
	B     []byte
	class int8 // -1: made to measure
}

// Get lends a slab of at least n bytes.
func Get(n int) *Slab {
	c := classOf(n)
	if c < 0 {
		return &Slab{B: make([]byte, n), class: -1}
	}
	if s, ok := pools[c].Get().(*Slab); ok {
		return s
	}
	return &Slab{B: make([]byte, Min<<(2*c)), class: int8(c)}
}

// Put gives a slab back; nil is fine.
func Put(s *Slab) {
	if s != nil && s.class >= 0 {
		pools[s.class].Put(s)
	}
}

// Size is what Get(n) would lend.
func Size(n int) int {
	if c := classOf(n); c >= 0 {
		return Min << (2 * c)
	}
	return n
}

// classOf is the smallest class that holds n, -1 when none does.
func classOf(n int) int {
	for c := range classes {
		if n <= Min<<(2*c) {
			return c
		}
	}
	return -1
}
