package main

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// place is where a record lies.
type place struct {
	partition int32
	offset    int64
}

// name is who a record is: the nth of its key.
type name struct {
	key string
	seq int
}

// fate is what has become of a record in a group.
type fate struct {
	deliveries int
	tried      time.Time // when it was first accepted, answered or not
	confirmed  time.Time // when its acceptance was confirmed
}

// ledger is what a group's members did, and what is wrong with it. Its methods
// may be called from any goroutine.
type ledger struct {
	group   string
	ordered bool

	mu    sync.Mutex // guards all below
	fates map[name]*fate
	wrong []error
	count map[string]int
}

func newLedger(group string, ordered bool) *ledger {
	return &ledger{group: group, ordered: ordered, fates: map[name]*fate{}, count: map[string]int{}}
}

// mostWrong bounds what is kept of what is wrong.
const mostWrong = 20

func (l *ledger) complain(format string, args ...any) {
	if len(l.wrong) < mostWrong {
		l.wrong = append(l.wrong, fmt.Errorf("group %s: "+format, append([]any{l.group}, args...)...))
	}
}

func (l *ledger) fate(n name) *fate {
	f := l.fates[n]
	if f == nil {
		f = &fate{}
		l.fates[n] = f
	}
	return f
}

// delivered notes a record in the answer to a request that was sent at a time.
func (l *ledger) delivered(n name, at place, count int16, sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.fate(n)
	if f.deliveries++; f.deliveries > 1 {
		l.count["delivered again"]++
	}
	l.count["delivered"]++
	if !f.confirmed.IsZero() && f.confirmed.Before(sent) {
		l.complain("%v at %v came as delivery %d, asked for %v after its acknowledgement was confirmed", n, at, count, sent.Sub(f.confirmed))
	}
	if l.ordered && n.seq > 0 && l.fate(name{n.key, n.seq - 1}).tried.IsZero() {
		l.complain("%v at %v came before anybody accepted the one before it", n, at)
	}
}

// trying notes that records are about to be accepted.
func (l *ledger) trying(ns []name, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range ns {
		if f := l.fate(n); f.tried.IsZero() {
			f.tried = now
		}
	}
}

// confirmed notes that records were accepted.
func (l *ledger) confirmed(ns []name, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range ns {
		f := l.fate(n)
		if !f.confirmed.IsZero() {
			l.complain("%v was acknowledged twice", n)
		}
		f.confirmed = now
		l.count["confirmed"]++
	}
}

// broken notes an answer that no broker may give.
func (l *ledger) broken(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.complain("%w", err)
}

// did counts something that a run shall have seen.
func (l *ledger) did(what string) {
	l.mu.Lock()
	l.count[what]++
	l.mu.Unlock()
}

// verdict judges a run that has ended: written are the records of each key.
func (l *ledger) verdict(written map[string]int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.wrong
	lost, total := 0, 0
	for key, n := range written {
		for seq := range n {
			total++
			if f := l.fates[name{key, seq}]; f == nil || f.tried.IsZero() {
				lost++
			}
		}
	}
	if lost > 0 {
		all = append(all, fmt.Errorf("group %s: %d of %d records were never accepted, and the group has none left", l.group, lost, total))
	}
	return errors.Join(all...)
}

// seen counts.
func (l *ledger) seen(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count[what]
}
