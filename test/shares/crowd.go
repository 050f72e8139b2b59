package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"ottla/test/rig/sharer"
)

// crowd are the members of a group: each place is filled again when its member
// died.
type crowd struct {
	addr, topic string
	l           *ledger
	calm        atomic.Bool // no more faults
	running     sync.WaitGroup
}

// fill lets n members live until ctx ends.
func (c *crowd) fill(ctx context.Context, n int, seed uint64) {
	for i := range n {
		c.running.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			for ctx.Err() == nil {
				c.live(ctx, r)
			}
		})
	}
}

// live is one member's life.
func (c *crowd) live(ctx context.Context, r *rand.Rand) {
	m, err := newMember(c.addr, c.l.group, c.topic, sharer.NewID(r), c.l, r)
	if err != nil {
		return
	}
	defer m.Close()
	for ctx.Err() == nil {
		alive, err := m.step(ctx, c.manner(r))
		if !alive {
			return
		}
		if err != nil {
			c.l.did("failed")
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
}

// manner is how a member treats what it gets next.
func (c *crowd) manner(r *rand.Rand) manner {
	if c.calm.Load() {
		return accepts
	}
	switch n := r.IntN(100); {
	case n < 4:
		return dies
	case n < 8:
		return slow
	case n < 40:
		return releases
	}
	return accepts
}
