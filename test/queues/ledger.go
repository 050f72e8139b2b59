package main

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// place is where messages are taken: a queue, or the queue of its dead letters.
type place int

const (
	alive place = iota
	dead
)

// slack is what clocks may differ by: nodes count whole milliseconds.
const slack = 5 * time.Millisecond

// try is what was tried to be sent under one name.
type try struct {
	began time.Time // the first time
	delay time.Duration
}

// fate is what has become of a message, by its id.
type fate struct {
	name      name
	told      bool      // a sender heard that it is sent
	soonest   time.Time // nobody may get it before
	delivery  int       // how often it came, anywhere
	tried     [2]bool   // somebody acknowledged it there, heard or not
	confirmed time.Time // when an acknowledgement was answered with success
	died      bool      // it may have become a dead letter
	// Of a message of a FIFO queue: the answers in which it came, where it lay when it
	// came first, and the message that came before it was done, as far as is known.
	answers   []answer
	offset    int64
	overtaken string
}

// answer is one answer of a take.
type answer struct {
	id   int
	came time.Time
	by   string // the door
}

// ledger is what happened to the messages of one queue and of its dead letters, and
// what is wrong with it. Its methods may be called from any goroutine.
type ledger struct {
	queue       string
	fifo        bool
	maxReceives int

	mu    sync.Mutex // guards all below
	tries map[name]*try
	fates map[string]*fate
	order order
	takes int // answers so far
	wrong []error
	count map[string]int
}

func newLedger(queue string, fifo bool, maxReceives int) *ledger {
	return &ledger{
		queue: queue, fifo: fifo, maxReceives: maxReceives, tries: map[name]*try{}, fates: map[string]*fate{}, order: order{}, count: map[string]int{},
	}
}

// mostWrong bounds what is kept of what is wrong.
const mostWrong = 20

// complain notes what is wrong. mu held.
func (l *ledger) complain(format string, args ...any) {
	if len(l.wrong) < mostWrong {
		l.wrong = append(l.wrong, fmt.Errorf("%s: "+format, append([]any{l.queue}, args...)...))
	}
}

// broken notes an answer that nobody may give.
func (l *ledger) broken(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.complain("%w", err)
}

// did counts something that a run shall have seen.
func (l *ledger) did(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count[what]++
}

// seen counts.
func (l *ledger) seen(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count[what]
}

// fate gives that of an id. mu held.
func (l *ledger) fate(id string) *fate {
	f := l.fates[id]
	if f == nil {
		f = &fate{}
		l.fates[id] = f
	}
	return f
}

// sending notes that a message is about to be sent, perhaps once more.
func (l *ledger) sending(n name, delay time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tries[n] == nil {
		l.tries[n] = &try{began: now, delay: delay}
	}
}

// sent notes that a sender was told the id of his message.
func (l *ledger) sent(n name, id, door string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.fate(id)
	if f.name != n && f.name != (name{}) {
		l.complain("%v was sent as %s, which is %v", n, id, f.name)
	}
	f.name, f.told = n, true
	l.count["sent by "+door]++
}

// given is a message in somebody's hands.
type given struct {
	id, receipt string
	name        name
	at          place
	count       int       // receives, as the door says
	offset      int64     // where it lies, of a FIFO queue
	asked, came time.Time // of the take
	holds       time.Time // until when it is surely his; zero for a member's lock
	delivery    int
}

// delivered notes the messages of one answer, in order.
func (l *ledger) delivered(all []*given, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.takes++
	for _, g := range all {
		f := l.fate(g.id)
		l.checkDelivery(g, f, by)
		f.name = g.name
		f.delivery++
		g.delivery = f.delivery
		l.count["taken by "+by]++
		if f.delivery > 1 {
			l.count["taken again"]++
		}
		f.soonest = g.holds
		if l.fifo && g.at == alive {
			if f.answers != nil && f.offset != g.offset {
				f.died = true // it was moved back, and nobody saw it dead
			}
			l.order.came(l, g, f, by)
		}
		if g.at == dead || g.count >= l.maxReceives {
			f.died = true // may be one at any time from now on
		}
	}
}

// checkDelivery holds what is true of every delivery. mu held.
func (l *ledger) checkDelivery(g *given, f *fate, by string) {
	t := l.tries[g.name]
	switch {
	case t == nil:
		l.complain("%s gave %v (%s), which nobody sent", by, g.name, g.id)
		return
	case f.name != (name{}) && f.name != g.name:
		l.complain("%s gave %s as %v; it is %v", by, g.id, g.name, f.name)
	case !f.confirmed.IsZero() && f.confirmed.Before(g.asked):
		l.complain("%s gave %v (%s), receive %d, asked for %v after its acknowledgement was confirmed", by, g.name, g.id, g.count, g.asked.Sub(f.confirmed))
	case g.came.Add(slack).Before(f.soonest):
		l.complain("%s gave %v (%s), receive %d, %v before another's lease or its delay ends", by, g.name, g.id, g.count, f.soonest.Sub(g.came))
	case g.came.Add(slack).Before(t.began.Add(t.delay)):
		l.complain("%s gave %v (%s) %v before its delay is over", by, g.name, g.id, t.began.Add(t.delay).Sub(g.came))
	}
}

// acknowledging notes that messages are about to be acknowledged.
func (l *ledger) acknowledging(all []*given) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range all {
		l.fate(g.id).tried[g.at] = true
	}
}

// acknowledged notes that it was confirmed. late says that the door answers success
// too where nothing was done, because the message is not his any more.
func (l *ledger) acknowledged(g *given, now time.Time, late bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if late && !now.Before(g.holds) {
		l.count["acknowledged late"]++
		return
	}
	f := l.fate(g.id)
	if !f.confirmed.IsZero() {
		l.complain("%v (%s) was acknowledged twice", g.name, g.id)
	}
	if f.overtaken != "" && !f.died && g.at == alive {
		l.complain("%v (%s) was acknowledged, and had not been when %s", g.name, g.id, f.overtaken)
	}
	f.confirmed = now
	l.count["acknowledged"]++
}

// returning notes that a message is about to be given back, for the time after a
// delay: from now on it may come that early.
func (l *ledger) returning(g *given, now time.Time, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.fate(g.id)
	if f.delivery != g.delivery {
		return // it came back by itself meanwhile
	}
	if g.at == alive && g.count >= l.maxReceives {
		delay = 0 // it is a dead letter at once
	}
	if at := now.Add(delay); at.Before(f.soonest) {
		f.soonest = at
	}
}

// returned notes that this was confirmed, or that a message is held from now for
// that long: asked is when that was asked for.
func (l *ledger) returned(g *given, asked time.Time, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.fate(g.id)
	if f.delivery == g.delivery && (g.at == dead || g.count < l.maxReceives) {
		f.soonest = asked.Add(delay)
	}
}

// rejecting notes that a message is about to be rejected.
func (l *ledger) rejecting(g *given) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.fate(g.id)
	f.died, f.soonest = true, time.Time{}
}

// unseen counts the messages of which senders were told and that nobody got.
func (l *ledger) unseen() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := map[name]bool{}
	for _, f := range l.fates {
		if f.delivery > 0 {
			got[f.name] = true
		}
	}
	for _, f := range l.fates {
		if f.told && f.delivery == 0 && !(l.fifo && got[f.name]) { // of a FIFO queue a repeat goes to nobody
			n++
		}
	}
	return n
}

// errs is what is wrong so far.
func (l *ledger) errs() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.wrong...)
}
