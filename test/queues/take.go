package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"ottla/test/realfault"
)

// hold is how long a message is leased: whole seconds, which SQS counts in.
const hold = 2 * time.Second

// manner is what a taker does with what it took.
type manner int

const (
	accepts manner = iota
	returns        // gives back at once
	defers         // gives back for later
	extends        // holds longer, then accepts
	rejects        // has a dead letter made
	forgets        // goes, and says nothing
	dawdles        // accepts when its time is over
	manners        // how many there are
)

var mannerNames = [manners]string{"accepted", "returned", "deferred", "extended", "rejected", "forgot", "dawdled"}

// draw draws a manner for a message, if faults are made. Some dead letters stay, so
// that there is something to move.
func draw(r *rand.Rand, n name, at place, calm bool) manner {
	switch {
	case calm:
		return accepts
	case at == dead:
		return [...]manner{accepts, accepts, returns, returns, forgets}[r.IntN(5)]
	case n.poison():
		return [...]manner{returns, rejects, rejects, forgets}[r.IntN(4)]
	}
	switch d := r.IntN(100); {
	case d < 8:
		return returns
	case d < 14:
		return defers
	case d < 18:
		return extends
	case d < 19:
		return rejects
	case d < 22:
		return forgets
	case d < 24:
		return dawdles
	}
	return accepts
}

// taker takes from a queue through one door.
type taker struct {
	l      *ledger
	d      door
	called string // the door
	queue  string // the ledger's, or that of its dead letters
	at     place
	r      *rand.Rand
	calm   *atomic.Bool // no more faults
}

// run takes until ctx ends.
func (t *taker) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if t.at == dead && !t.calm.Load() { // and leaves something to be moved
			_ = realfault.Pause(ctx, moveEvery) // the loop sees the end
		}
		all, err := t.take(ctx)
		if err != nil {
			return err
		}
		groups := map[manner][]*given{}
		for _, g := range all {
			how := draw(t.r, g.name, t.at, t.calm.Load())
			groups[how] = append(groups[how], g)
		}
		for how := range manners { // in this order: those who wait come last
			if some := groups[how]; len(some) > 0 {
				t.l.did(mannerNames[how])
				t.treat(ctx, how, some)
			}
		}
	}
	return nil
}

// take takes what there is. An error is one that ends the run.
func (t *taker) take(ctx context.Context) ([]*given, error) {
	asked := time.Now()
	all, err := t.d.take(ctx, t.queue, 1+t.r.IntN(10), hold)
	came := time.Now()
	var bad *nonsense
	switch {
	case ctx.Err() != nil:
		return nil, nil
	case errors.As(err, &bad), errors.Is(err, errRefused):
		t.l.broken(err)
		return nil, err
	case err != nil:
		t.l.did("took again")
		_ = realfault.Pause(ctx, again) // the loop sees the end
		return nil, nil
	}
	for _, g := range all {
		g.at, g.asked, g.came, g.holds = t.at, asked, came, asked.Add(hold)
	}
	if len(all) > 0 {
		t.l.delivered(all, t.called)
	}
	return all, nil
}

// treat does with messages what a manner says. What is not answered, nobody knows;
// the ledger gives it the benefit of doubt.
func (t *taker) treat(ctx context.Context, how manner, all []*given) {
	switch how {
	case accepts:
		t.accept(ctx, all)
	case returns:
		for _, g := range all {
			t.say(ctx, g, 0, t.d.back)
		}
	case defers:
		for _, g := range all {
			t.say(ctx, g, time.Second, t.d.back)
		}
	case extends:
		var held []*given
		for _, g := range all {
			if t.say(ctx, g, 2*hold, t.d.hold) {
				held = append(held, g)
			}
		}
		_ = realfault.Pause(ctx, hold) // the first lease is over
		t.accept(ctx, held)
	case rejects:
		for _, g := range all {
			t.reject(ctx, g)
		}
	case dawdles:
		_ = realfault.Pause(ctx, hold+hold/4)
		t.accept(ctx, all)
	}
}

func (t *taker) accept(ctx context.Context, all []*given) {
	if len(all) == 0 {
		return
	}
	t.l.acknowledging(all)
	done, err := t.d.ack(ctx, t.queue, all)
	now := time.Now()
	if err != nil {
		t.l.did("not answered")
		return
	}
	for i, g := range all {
		if done[i] {
			t.l.acknowledged(g, now, lateIsSuccess(t.d, t.queue))
		}
	}
}

// say has a message held, or kept from all, for so long from now on.
func (t *taker) say(ctx context.Context, g *given, long time.Duration, how func(context.Context, string, *given, time.Duration) (bool, error)) bool {
	asked := time.Now()
	t.l.returning(g, asked, long)
	ok, err := how(ctx, t.queue, g, long)
	if err != nil {
		t.l.did("not answered")
	}
	if ok {
		g.holds = asked.Add(long)
		t.l.returned(g, asked, long)
	}
	return ok
}

// reject has a dead letter made, through the door that can.
func (t *taker) reject(ctx context.Context, g *given) {
	d, ok := t.d.(native)
	if !ok || t.at == dead { // a dead letter that is rejected is gone
		t.say(ctx, g, 0, t.d.back)
		return
	}
	t.l.rejecting(g)
	if _, err := d.one(ctx, t.queue, "reject", g); err != nil {
		t.l.did("not answered")
	}
}
