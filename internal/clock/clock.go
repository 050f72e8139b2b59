package clock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Node is a running node.
type Node interface {
	// Settle does all that the clock makes due, and returns when it is done.
	Settle(ctx context.Context) error
	// Next tells when the node has to do something at a certain time: false when
	// there is nothing. It may be due already.
	Next(ctx context.Context) (time.Time, bool, error)
	// Fire does what of that is due, and returns when it is done: Settle without
	// housekeeping.
	Fire(ctx context.Context) error
	// KafkaAddr is where the node is.
	KafkaAddr() string
}

// Clock runs on with real time, and can be moved. The zero value shows the real time.
type Clock struct {
	moved atomic.Int64 // nanoseconds ahead of the real time

	moving sync.Mutex // held by Set and Advance, one at a time
	mu     sync.Mutex // guards nodes; a leaf
	nodes  []Node     // in the order in which they joined
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
// became due has settled on every node that has joined. On its way forward it halts
// at each time at which something is due, until that is done: what is due later comes
// later, and each thing sees its own time. An error tells what could not settle; the
// clock has moved all the same.
func (c *Clock) Advance(ctx context.Context, d time.Duration) error {
	c.moving.Lock()
	defer c.moving.Unlock()
	return c.move(ctx, c.Ahead()+d)
}

// Set lets the clock show t, from where it runs on, and settles as Advance does.
func (c *Clock) Set(ctx context.Context, t time.Time) error {
	c.moving.Lock()
	defer c.moving.Unlock()
	return c.move(ctx, time.Until(t))
}

// move brings the clock to be so far ahead. moving held.
func (c *Clock) move(ctx context.Context, ahead time.Duration) error {
	if ahead > c.Ahead() {
		c.step(ctx, ahead)
	}
	c.moved.Store(int64(ahead))
	return c.settle(ctx)
}

const (
	// mostIdle halts in a row at no later time are enough: what is due then does
	// not get done, and settling tells.
	mostIdle = 20
	// mostFailed halts in a row that fail are enough, likewise.
	mostFailed = 5
)

// step moves the clock from one time at which something is due to the next, as long
// as it is less ahead. What fails is for the settling at the end to tell.
func (c *Clock) step(ctx context.Context, ahead time.Duration) {
	var last time.Time
	for idle, failed := 0, 0; idle < mostIdle && failed < mostFailed && ctx.Err() == nil; {
		if c.fire(ctx) != nil { // what is due here is not done yet: not on to the next
			failed++
			continue
		}
		failed = 0
		at, ok := c.next(ctx)
		if !ok || time.Until(at) > ahead {
			return
		}
		idle++
		if at.After(last) {
			idle, last = 0, at
		}
		c.moved.Store(max(c.moved.Load(), int64(time.Until(at))))
	}
}

// all are the nodes that have joined.
func (c *Clock) all() []Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.nodes)
}

// next is when the first node has to do something. One that cannot tell does not
// hold up the others.
func (c *Clock) next(ctx context.Context) (first time.Time, some bool) {
	for _, n := range c.all() {
		at, ok, err := n.Next(ctx)
		if err == nil && ok && (!some || at.Before(first)) {
			first, some = at, true
		}
	}
	return first, some
}

// fire has every node do what is due.
func (c *Clock) fire(ctx context.Context) error {
	var errs []error
	for _, n := range c.all() {
		errs = append(errs, n.Fire(ctx))
	}
	return errors.Join(errs...)
}

func (c *Clock) settle(ctx context.Context) error {
	var errs []error
	for _, n := range c.all() {
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
	c.nodes = append(c.nodes, n)
}

// Leave takes back a Join.
func (c *Clock) Leave(n Node) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = slices.DeleteFunc(c.nodes, func(other Node) bool { return other == n })
}
