//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"ottla/test/realfault"
	"ottla/test/rig"
)

// fault is one kind of what is done. act returns at once where what it does
// takes time, and gives the place back itself then.
type fault struct {
	name    string
	often   int  // cards of this kind in a deck
	broker  bool // the broker's, not a member's
	process bool // of a member that is a process
	act     func(ctx context.Context, d *driver, who actor) error
}

var kinds = []fault{
	{name: "process killed", often: 3, process: true, act: func(_ context.Context, _ *driver, who actor) error { who.die(); return nil }},
	{name: "process leaves", often: 1, process: true, act: func(_ context.Context, _ *driver, who actor) error { who.leave(); return nil }},
	{name: "process frozen", often: 2, process: true, act: hush},
	{name: "member vanishes", often: 2, act: func(_ context.Context, _ *driver, who actor) error { who.die(); return nil }},
	{name: "member leaves", often: 1, act: func(_ context.Context, _ *driver, who actor) error { who.leave(); return nil }},
	{name: "member cut off", often: 1, act: hush},
	{name: "broker killed", often: 2, broker: true, act: func(ctx context.Context, d *driver, _ actor) error { return d.restart(ctx) }},
}

// hush keeps a member quiet for longer than its session lasts.
func hush(ctx context.Context, d *driver, who actor) error {
	return who.silence(ctx, sessionTimeout+time.Second+time.Duration(d.number(int64(3*time.Second))))
}

// driver makes the faults, in an order that the seed gives. Nothing of it but
// what mu guards is used by more than one goroutine.
type driver struct {
	crowds []*crowd
	node   *rig.Node
	every  time.Duration
	r      *rand.Rand
	wg     sync.WaitGroup // of what takes its time
	down   time.Duration  // the longest that the broker was away
	says   func(what string)

	mu   sync.Mutex // guards r, hits and errs
	hits map[string]int
	errs []error
}

func (d *driver) number(n int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.Int64N(n)
}

// deck is all cards once, shuffled: so that each kind comes about as often as
// it should, in the short form too.
func (d *driver) deck() (out []fault) {
	for _, k := range kinds {
		for range k.often {
			out = append(out, k)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// drive makes faults until the time is over, or longer where one of each kind
// was not made by then, and waits until those that last have passed.
func (d *driver) drive(ctx context.Context, length time.Duration) error {
	var deck []fault
	for began := time.Now(); time.Since(began) < length || len(d.missing()) > 0 && time.Since(began) < 4*length; {
		if err := realfault.Pause(ctx, time.Duration(d.number(int64(2*d.every)))); err != nil {
			return err
		}
		if err := d.node.Alive(); err != nil {
			return err
		}
		if len(deck) == 0 {
			deck = d.deck()
		}
		k := deck[0]
		deck = deck[1:]
		if k.broker {
			if err := k.act(ctx, d, nil); err != nil {
				return err
			}
			d.hit(k)
			continue
		}
		d.strike(ctx, k)
	}
	d.wg.Wait()
	return errors.Join(d.errs...)
}

// strike does something to some member; where the chosen one is not there or
// busy, to the next in the group.
func (d *driver) strike(ctx context.Context, k fault) {
	places := d.crowds[d.number(int64(len(d.crowds)))].places
	first := int(d.number(int64(len(places))))
	for i := range places {
		p := places[(first+i)%len(places)]
		if p.process != k.process {
			continue
		}
		who := p.take()
		if who == nil {
			continue
		}
		d.hit(k)
		d.wg.Go(func() {
			defer p.give()
			if err := k.act(ctx, d, who); err != nil {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.errs = append(d.errs, err)
			}
		})
		return
	}
}

func (d *driver) hit(k fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hits[k.name]++
}

// restart kills the broker and starts it again on its directory a while later.
func (d *driver) restart(ctx context.Context) error {
	began := time.Now()
	d.says(down)
	if err := d.node.Kill(); err != nil {
		return err
	}
	if err := realfault.Pause(ctx, time.Duration(d.number(int64(2*time.Second)))); err != nil {
		return err
	}
	if err := d.node.Start(context.WithoutCancel(ctx)); err != nil { // it ends by stop, not by ctx
		return fmt.Errorf("start after a kill: %w", err)
	}
	d.says(up)
	d.down = max(d.down, time.Since(began))
	return nil
}

// missing names the kinds that were never made.
func (d *driver) missing() (out []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range kinds {
		if d.hits[k.name] == 0 {
			out = append(out, k.name)
		}
	}
	return out
}
