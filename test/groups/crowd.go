//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"ottla/test/history"
	"ottla/test/realfault"
)

// actor is a member that something can be done to.
type actor interface {
	// done is closed when it has ended.
	done() <-chan struct{}
	// leave ends it cleanly, die without a word to the broker.
	leave()
	die()
	// silence keeps it from the broker for a while; then it goes on in what it
	// believes to be its group.
	silence(ctx context.Context, d time.Duration) error
}

// crowd is one group: its places are filled again whenever a member has ended.
type crowd struct {
	protocol protocol
	group    string
	places   []*place
	wg       sync.WaitGroup
	stop     context.CancelFunc

	mu   sync.Mutex // guards what follows
	errs []error
}

// place is where one member after the other stands. Every other place is for
// processes.
type place struct {
	number  int
	process bool

	mu   sync.Mutex // guards what follows
	who  actor
	busy bool  // something is being done to who
	met  actor // whom something was done to that may end it
}

// take gives the member for something to be done to it, nil where there is none
// or it is busy.
func (p *place) take() actor {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.who == nil || p.busy {
		return nil
	}
	p.busy, p.met = true, p.who
	return p.who
}

func (p *place) give() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
	if p.met != nil {
		select {
		case <-p.met.done():
		default:
			p.met = nil // it lives on
		}
	}
}

// expected tells whether a member that has ended was made to.
func (p *place) expected(who actor) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.met == who
}

func (p *place) set(who actor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.who = who
}

// startCrowd fills all places; the members' orders begin as o.
func startCrowd(ctx context.Context, p protocol, o orders, members int, w *history.Writer, seed uint64) *crowd {
	ctx, stop := context.WithCancel(ctx)
	c := &crowd{protocol: p, group: o.Topic + "-" + p.name, stop: stop}
	o.Group, o.Protocol, o.Base = c.group, p.name, baseOf(w)
	for i := range members {
		at := &place{number: i, process: i%2 == 0}
		c.places = append(c.places, at)
		c.wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)+1))
			if err := c.keep(ctx, at, o, w, r); err != nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.errs = append(c.errs, err)
			}
		})
	}
	return c
}

// refillWithin is how long a place is empty at most.
const refillWithin = 2 * time.Second

// keep fills one place until ctx ends.
func (c *crowd) keep(ctx context.Context, at *place, o orders, w *history.Writer, r *rand.Rand) error {
	for ctx.Err() == nil {
		o.Place, o.Reads, o.Claims = at.number, w.Process(), w.Process()
		process := o.Reads
		say := func(what string) { tell(w, process, c.group, what) }
		say(joins)
		member, err := c.start(ctx, at, o, w)
		if err != nil {
			return fmt.Errorf("place %d of %s: %w", at.number, c.group, err)
		}
		who := &told{member, say}
		at.set(who)
		select {
		case <-who.done():
			if !at.expected(who) {
				return fmt.Errorf("the member in place %d of %s ended by itself", at.number, c.group)
			}
			at.set(nil)
			_ = realfault.Pause(ctx, time.Duration(r.Int64N(int64(refillWithin)))) // it ends with ctx
		case <-ctx.Done():
			who.leave()
		}
	}
	return nil
}

func (c *crowd) start(ctx context.Context, at *place, o orders, w *history.Writer) (actor, error) {
	if at.process {
		return startChild(o, w)
	}
	return startLocal(context.WithoutCancel(ctx), o, w)
}

// end lets all members leave. The error is of a member that could not be.
func (c *crowd) end() error {
	c.stop()
	c.wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.errs...)
}
