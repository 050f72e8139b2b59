//go:build !race

package slab

import "testing"

// Under the race detector sync.Pool drops what it is given at random.
func TestGetAndPutAllocateNothing(t *testing.T) {
	Put(Get(1000))
	if n := testing.AllocsPerRun(1000, func() { Put(Get(1000)) }); n != 0 {
		t.Fatalf("%v allocations, want 0", n)
	}
}
