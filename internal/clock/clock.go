package clock

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Node is a running node.
type Node interface {
	// Settle does all that the clock makes due, and returns when it is done.
	Settle(ctx context.Context) error
	// KafkaAddr is where the node is.
	KafkaAddr() string
}

// Clock runs on with real time, and can be moved. The zero value shows the real time.
type Clock struct {
	moved atomic.Int64 // nanoseconds ahead of the real time

	moving sync.Mutex // held by Set and Advance, one at a time
	mu     sync.Mutex // guards nodes; a leaf
	nodes  map[Node]struct{}
}

// Now is the time that the clock shows; the real time's for nil.
func (c *Clock) Now() time.Time {
	if c == nil {
		return time.Now()
	}
	return time.Now().Add(c.Ahead())
}

// Ahead is how far it is before the real time.
func (c *Clock) Ahead() time.Duration { return time.Duration(c.moved.Load()) }

// Advance moves the clock by d, back if that is negative, and returns when what
// became due has settled on every node that has joined. An error tells what could not
// settle; the clock has moved all the same.
func (c *Clock) Advance(ctx context.Context, d time.Duration) error {
	c.moving.Lock()
	defer c.moving.Unlock()
	c.moved.Add(int64(d))
	return c.settle(ctx)
}

// Set lets the clock show t, from where it runs on, and settles as Advance does.
func (c *Clock) Set(ctx context.Context, t time.Time) error {
	c.moving.Lock()
	defer c.moving.Unlock()
	c.moved.Store(int64(time.Until(t)))
	return c.settle(ctx)
}

func (c *Clock) settle(ctx context.Context) error {
	c.mu.Lock()
	nodes := slices.Collect(maps.Keys(c.nodes))
	c.mu.Unlock()
	var errs []error
	for _, n := range nodes {
		if err := n.Settle(ctx); err != nil {
			errs = append(errs, fmt.Errorf("node at %s after the clock was moved: %w", n.KafkaAddr(), err))
		}
	}
	return errors.Join(errs...)
}

// Join lets a node settle when the clock is moved; nothing for a nil clock.
func (c *Clock) Join(n Node) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes == nil {
		c.nodes = map[Node]struct{}{}
	}
	c.nodes[n] = struct{}{}
}

// Leave takes back a Join.
func (c *Clock) Leave(n Node) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.nodes, n)
}
