package quorum

import (
	"errors"
	"fmt"

	"ottla/internal/wire"
)

// waiter is a reply that leaves once entry index, written in that term, is
// committed. Index 0 waits for nothing.
type waiter struct {
	index uint64
	term  uint64
	reply any
	err   error
	to    chan<- result // of capacity 1, used once
}

// ErrUndecided is in the chain of an error when a command was accepted and
// nobody here knows what became of it. Any other error means that it was not
// carried out: NOT_CONTROLLER may be tried again at the leader.
var ErrUndecided = errors.New("it was accepted, and what became of it is not known here")

// NotLeading is in the chain of the NOT_CONTROLLER that a node gives which does
// not lead: who does, -1 when it does not know, and in which epoch.
type NotLeading struct{ Leader, Epoch int32 }

// Error tells who leads.
func (e *NotLeading) Error() string {
	if e.Leader < 0 {
		return "no leader of the metadata quorum is known at the moment: try again"
	}
	return fmt.Sprintf("node %d leads the metadata quorum (epoch %d)", e.Leader, e.Epoch)
}

func (m *member) notLeading() error {
	why := &NotLeading{m.leader, int32(m.store.hard.term)}
	if why.Leader == m.o.NodeID {
		why.Leader = -1 // elected, and not ready yet
	}
	return &wire.Error{Code: wire.NotController, Message: why.Error(), Cause: why}
}

// undecided is what a waiter hears whose command was accepted and then lost,
// or may be.
func undecided(cause error) error {
	return &wire.Error{Code: wire.KafkaStorageError, Message: "the change may or may not have been made: look before trying again",
		Cause: fmt.Errorf("%w: %s", ErrUndecided, cause)} // a NOT_CONTROLLER in the chain would say too much
}

// termAt is the term that the leader's entry at index has or will have.
func (m *member) termAt(index uint64) uint64 {
	if t, ok := m.store.index.term(index); ok {
		return t
	}
	return m.store.hard.term
}

// release lets the replies go that need wait no longer, in order. When another
// leader's entry took the place of what a reply rests on, that is known to be
// lost.
func (m *member) release() {
	n := 0
	for n < len(m.waiters) && m.waiters[n].index <= m.applied {
		w := &m.waiters[n]
		r := result{w.reply, m.image.Offset, w.err}
		if term, kept := m.store.index.term(w.index); w.index > 0 && kept && term != w.term {
			r = result{err: m.notLeading()}
		}
		w.to <- r
		*w = waiter{}
		n++
	}
	rest := copy(m.waiters, m.waiters[n:])
	clear(m.waiters[rest:])
	m.waiters = m.waiters[:rest]
	if rest == 0 {
		m.orphans = 0
	}
}

// abandon tells everyone who waits that the outcome is open.
func (m *member) abandon(cause error) {
	for i := range m.waiters {
		m.waiters[i].err, m.waiters[i].reply, m.waiters[i].index = undecided(cause), nil, 0
	}
}

// skipWaiters abandons those whose entries a snapshot went over.
func (m *member) skipWaiters() {
	for i := range m.waiters {
		if w := &m.waiters[i]; w.index <= m.applied && w.index > 0 {
			w.err, w.reply, w.index = undecided(wire.NotController), nil, 0
		}
	}
}

// orphanTicks is how long a node that leads no more waits to hear what became
// of what it had accepted.
const orphanTicks = 3 * electionTicks

// expireWaiters ends that wait.
func (m *member) expireWaiters() {
	if m.orphans > 0 && m.ticks-m.orphans > orphanTicks {
		m.abandon(wire.NotController)
		m.release()
	}
}
