package lead

import (
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/share"
	"ottla/internal/wire"
)

// A member sees the next record of a key when the acknowledgement of the one before
// is durable: should the node die before, that one comes back, and is first.
func TestAKeyGoesOnWhenTheAcknowledgementIsDurable(t *testing.T) {
	in(t, func(s *Settings) { s.KeyOrdered = true }, func(r *rig) {
		r.append("xxy")
		r.want("the first of each", r.give("m", 9), "0-0:1 2-2:1")
		r.store.mu.Lock()
		r.store.hold = true
		r.store.mu.Unlock()
		said := r.acking("m", 0, 0, share.Accept)
		r.want("not yet", r.give("n", 9), "")
		var g Given
		w := &waiter{}
		p := r.m.Part(r.key)
		p.Look(&g)
		p.Watch(w, &g)
		r.store.let()
		synctest.Wait()
		r.want("acknowledged", <-said, "NONE")
		if w.calls() == 0 {
			t.Error("who waits is not told that the key goes on")
		}
		r.want("now", r.give("n", 9), "1-1:1")
		r.store.failNext(wire.NotCoordinator)
		r.want("not stored", r.ack("n", 1, 1, share.Accept), "NOT_COORDINATOR")
		r.append("x")
		r.want("it comes back before the next", r.give("o", 9), "1-2:1")
	})
}

// Whoever was down for longer than ids are gathered from before now, or had no
// takers, judges what comes by the time at which it was written.
func TestARepeatIsDroppedHoweverLateItIsRead(t *testing.T) {
	in(t, func(s *Settings) { s.Queue, s.KeyOrdered, s.DedupMs = true, true, 1000 }, func(r *rig) {
		r.keyedID("a", "x")
		r.want("taken", r.lease(9, 500), "0-0:1@0")
		r.want("done", r.say(word(0, 1, share.Accept, 0)), "NONE")
		r.keyedID("a", "x")
		pass(time.Hour)
		r.restart()
		r.keyedID("a", "y")
		r.want("without the repeat", r.lease(9, 500), "2-2:1@0")
		r.keyedID("a", "x")
		r.want("done", r.say(word(2, 1, share.Accept, 0)), "NONE")
		r.want("another window", r.lease(9, 500), "3-3:1@0")
	})
}
