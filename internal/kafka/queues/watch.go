package queues

import (
	"context"
	"time"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/wire/own"
)

// bell rings for whoever waits.
type bell chan struct{}

// Wake implements lead.Waiter.
func (b bell) Wake() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// Readable implements partition.FetchWaiter.
func (b bell) Readable(int) { b.Wake() }

// Watch returns when there may be something to take from one of the parts, or
// when ctx ends; which of both, it does not tell. A part that cannot be watched
// at the moment ends it after a pause, so that whoever asks looks who leads it.
func (l *Leases) Watch(ctx context.Context, parts []Part) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rings := make(bell, 1)
	for _, p := range parts {
		node, err := l.leader(p)
		switch {
		case err != nil:
			l.later(rings)
		case l.here(node):
			defer l.watchHere(ctx, p, rings)()
		default:
			go l.watchThere(ctx, node, p, rings)
		}
	}
	select {
	case <-rings:
	case <-ctx.Done():
	}
}

// lookAgain is the pause after which who leads a part is looked at again.
const lookAgain = 50 * time.Millisecond

func (l *Leases) later(b bell) { time.AfterFunc(lookAgain, b.Wake) }

// watchHere has the bell rung by a part of this node; the returned function
// ends that.
func (l *Leases) watchHere(ctx context.Context, p Part, b bell) func() {
	at, err := l.part(ctx, p)
	if err != nil {
		l.later(b)
		return func() {}
	}
	var g lead.Given
	at.Look(&g)
	if at.Free() { // came before Look
		b.Wake()
		return func() {}
	}
	at.Watch(b, &g)
	if at.Gone() { // another has taken its place, and nobody tells of this one
		b.Wake()
	}
	return func() { at.Unwatch(b, &g) }
}

// watchThere asks another node to tell.
func (l *Leases) watchThere(ctx context.Context, node int32, p Part, b bell) {
	wait := int64(mostWait / time.Millisecond)
	if d, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(d).Milliseconds())
	}
	_, err := l.ask(ctx, node, &own.QueueAskRequest{QueuePart: p.own(), What: own.AskWait, WaitMs: max(0, wait)})
	switch {
	case ctx.Err() != nil:
	case err != nil:
		l.later(b)
	default:
		b.Wake()
	}
}

// mostWait bounds how long another node is asked to wait.
const mostWait = 20 * time.Second
