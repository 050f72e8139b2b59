package ottla

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

// Clock is the time of day as nodes see it where they mean data: the times of
// records (LogAppendTime, and how far a producer's may be off), retention,
// segment age, the expiry of offsets, of silent producers and of transactional
// ids, how long a transaction may be open, the lags of compaction. It runs on
// with real time and can be moved.
//
// What tells the living from the dead (sessions, rebalances, time-outs of
// connections and requests) never goes by it: moving the clock a week throws no
// member out of its group.
//
// The zero value shows the real time. One clock may serve many nodes. It may be
// used from any goroutine.
type Clock struct {
	moved atomic.Int64 // nanoseconds ahead of the real time

	moving sync.Mutex // held by Set and Advance, one at a time
	mu     sync.Mutex // guards nodes; a leaf
	nodes  map[*Server]struct{}
}

// Now is the time that the clock shows.
func (c *Clock) Now() time.Time {
	if c == nil {
		return time.Now()
	}
	return time.Now().Add(time.Duration(c.moved.Load()))
}

// Advance moves the clock by d, back if that is negative, and returns when what
// became due has settled on every running node: one round of housekeeping,
// retention, producer expiry, compaction, offset expiry and the abort of
// transactions that ran out of time. An error tells what could not settle; the
// clock has moved all the same.
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
	for _, s := range nodes {
		if err := s.node.Settle(ctx); err != nil {
			errs = append(errs, fmt.Errorf("node at %s after the clock was moved: %w", s.Addr(), err))
		}
	}
	return errors.Join(errs...)
}

func (c *Clock) join(s *Server) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes == nil {
		c.nodes = map[*Server]struct{}{}
	}
	c.nodes[s] = struct{}{}
}

func (c *Clock) leave(s *Server) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.nodes, s)
}
