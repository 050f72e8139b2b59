package data

import (
	"sync/atomic"
	"time"

	"ottla/internal/partition/replica"
)

// A node that is cut off from the others goes on taking itself for a leader: it
// does not hear that others lead in its place. What is produced to it with acks=all
// waits for replicas that do not answer, and its producer would wait for as long as
// its time-out. But the node knows when the others may have taken its place
// (Options.Trusted): from then on such a batch is answered with
// NOT_LEADER_OR_FOLLOWER, so that its producer asks who leads, of other nodes too.
// If nobody does, nothing is lost by that: it comes again.
//
// And from then on no batch is refused for good. Its producer may have written to the
// one who leads now, with sequences and in epochs that are not known here, or by
// settings that are others by now: it would be told that records of its were lost.

const (
	// lapseAfter is when a batch that waits looks for the first time: as long as
	// it takes to count as silent.
	lapseAfter = 2 * time.Second
	// lapseEvery is how often it looks from then on, and from the beginning where
	// the others may have taken this node's place already.
	lapseEvery = 250 * time.Millisecond
)

// arm lets the timer fire when the answer is to be looked at next.
func (a *produceAnswer) arm() {
	next := a.left
	if a.acks == replica.AcksAll && a.family.o.Trusted != nil {
		pause := lapseEvery
		if a.left == a.timeout && a.family.o.Trusted() {
			pause = lapseAfter
		}
		next = min(next, pause)
	}
	a.left -= next
	a.family.wheel.Arm(&a.timer, next)
}

// expire is called by the wheel. The reference that the timer has stays with it
// when it is armed again.
func (a *produceAnswer) expire() {
	if a.left > 0 && !a.lapse() {
		a.arm()
		if a.over.Load() { // meanwhile
			a.disarm()
		}
		return
	}
	a.expired.Store(true)
	a.Ready()
	a.release()
}

// lapse tells whether it is no use to wait: this node may lead no more, and a batch
// waits for other replicas.
func (a *produceAnswer) lapse() bool {
	if a.family.o.Trusted() {
		return false
	}
	for i := range a.rows {
		r := &a.rows[i]
		if r.partition != nil && atomic.LoadInt32(&r.settled) == unsettled && len(r.partition.Standings()) > 0 {
			a.lapsed.Store(true)
			return true
		}
	}
	return false
}
