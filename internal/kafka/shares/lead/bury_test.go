package lead

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// Whoever writes dead letters asks whether he leads still: the next leader has read
// the state by then, even if nobody has told him.
func TestALeaderWhoIsNoneAnyMoreIsToldSoBeforeItWritesLetters(t *testing.T) {
	in(t, func(s *Settings) { s.DeadLetter = true }, func(r *rig) {
		var answers []string
		o := r.m.o
		o.Dead = func(_ context.Context, d *Dying) error {
			err := d.Leads()
			if answers = append(answers, wire.CodeOf(err).Name()); len(answers) == 1 {
				r.store.mu.Lock()
				_, failed := r.store.step(store.Read{Key: r.key, LeaderEpoch: 6}) // as the next leader does
				r.store.mu.Unlock()
				if failed != nil {
					t.Error(failed)
				}
				return wire.NotLeaderOrFollower
			}
			return err
		}
		r.m.Close()
		r.m = New(o)
		r.append("a")
		r.want("taken", r.give("m", 9), "0-0:1")
		r.want("rejected", r.ack("m", 0, 0, share.Reject), "NONE")
		pass(buryPause)
		r.become(6)
		pass(buryPause)
		synctest.Wait()
		r.want("asked", strings.Join(answers, " "), "NONE NOT_LEADER_OR_FOLLOWER NONE")
		pass(time.Second)
		if st := r.store.state(); st.Start != 1 {
			t.Errorf("stored is the start %d, want 1: the letter is written", st.Start)
		}
	})
}

// A record whose giving up is lost in a crash comes back: had it a letter, it would
// be in both places.
func TestNoLetterIsWrittenBeforeItIsStoredThatItsRecordIsGivenUp(t *testing.T) {
	in(t, func(s *Settings) { s.DeadLetter = true }, func(r *rig) {
		r.append("a")
		r.want("taken", r.give("m", 9), "0-0:1")
		r.store.mu.Lock()
		r.store.hold = true
		r.store.mu.Unlock()
		said := r.acking("m", 0, 0, share.Reject)
		synctest.Wait()
		if len(r.dead) > 0 {
			t.Errorf("letters of %v are written, and nothing is stored", r.dead)
		}
		r.store.let()
		synctest.Wait()
		r.want("rejected", <-said, "NONE")
		r.want("letters", strings.Join(r.dead, " "), "0-0")
		r.append("b")
		r.want("taken", r.give("m", 9), "1-1:1")
		r.store.failNext(wire.NotCoordinator)
		r.want("not stored", r.ack("m", 1, 1, share.Reject), "NOT_COORDINATOR")
		r.want("it comes back", r.give("m", 9), "1-1:1")
		r.want("without a letter", strings.Join(r.dead, " "), "0-0")
	})
}

// A letter that its topic does not take stays with its message, and holds up no other:
// what was refused together is buried one by one. It is tried again in its time, and by
// a leader who does not know of it.
func TestALetterThatIsRefusedHoldsUpNoOther(t *testing.T) {
	in(t, func(s *Settings) { s.DeadLetter, s.Queue = true, true }, func(r *rig) {
		var mu sync.Mutex // guards large and asked
		large, asked := int64(2), []string(nil)
		o := r.m.o
		o.Dead = func(_ context.Context, d *Dying) error {
			mu.Lock()
			defer mu.Unlock()
			if d.Range.First <= large && large <= d.Range.Last {
				asked = append(asked, "!")
				return wire.MessageTooLarge
			}
			asked = append(asked, fmt.Sprintf("%d-%d", d.Range.First, d.Range.Last))
			return nil
		}
		r.m.Close()
		r.m = New(o)
		buried := func(what, want string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			r.want(what, strings.Join(asked, " "), want)
			asked = nil
		}
		r.append("abcde")
		r.want("taken", r.give("m", 5), "0-4:1")
		r.want("rejected", r.ack("m", 0, 4, share.Reject), "NONE")
		buried("all but one", "! 0-0 1-1 ! 3-3 4-4")
		r.append("f")
		r.want("taken", r.give("m", 9), "5-5:1")
		r.want("rejected", r.ack("m", 5, 5, share.Reject), "NONE")
		buried("a later one", "5-5")
		pass(refusedMs*time.Millisecond - time.Second)
		buried("not yet again", "")
		pass(2 * time.Second)
		buried("again in its time", "!")
		r.restart()
		r.want("nothing comes back", r.give("m", 9), "")
		buried("by a new leader", "!")
		mu.Lock()
		large = -1
		mu.Unlock()
		pass(refusedMs*time.Millisecond + time.Second)
		buried("its topic takes more by now", "2-2")
		pass(refusedMs*time.Millisecond + time.Second)
		buried("that is all", "")
		if st := r.store.state(); st.Start != 6 {
			t.Errorf("stored is the start %d, want 6", st.Start)
		}
	})
}

// Whoever moves the clock finds at once what that made free: the next messages of a
// group whose first was given up, and its letter.
func TestAMovedClockHasSettledWhenWhatItEndsIsStoredAndBuried(t *testing.T) {
	in(t, func(s *Settings) {
		s.DeadLetter, s.Queue, s.Attempts, s.KeyOrdered = true, true, 1, true
	}, func(r *rig) {
		let := make(chan struct{})
		o := r.m.o
		o.Dead = func(context.Context, *Dying) error { <-let; return nil }
		r.m.Close()
		r.m = New(o)
		r.append("aa")
		r.want("taken", r.lease(1, 1000), "0-0:1@0")
		r.store.mu.Lock()
		r.store.hold = true
		r.store.mu.Unlock()
		pass(2 * time.Second)
		settled := make(chan error, 1)
		go func() { settled <- r.m.Settle(r.t.Context()) }()
		not := func(what string) {
			t.Helper()
			synctest.Wait()
			if len(settled) > 0 {
				t.Errorf("settled, and %s", what)
			}
		}
		not("the end of the lease is not stored")
		r.store.let()
		not("the letter is not written")
		close(let)
		if err := <-settled; err != nil {
			t.Error(err)
		}
		if st := r.store.state(); st.Start != 1 {
			t.Errorf("stored is the start %d, want 1", st.Start)
		}
		r.want("the next of its group", r.lease(1, 1000), "1-1:1@0")
	})
}

// A letter that has to wait for its topic, and a store that does not answer, hold up
// the clock no longer than its mover wants.
func TestAMovedClockDoesNotWaitForALetterThatCannotBeWritten(t *testing.T) {
	in(t, func(s *Settings) { s.DeadLetter, s.Queue, s.Attempts = true, true, 1 }, func(r *rig) {
		o := r.m.o
		o.Dead = func(context.Context, *Dying) error { return wire.NotEnoughReplicas }
		r.m.Close()
		r.m = New(o)
		r.append("ab")
		r.want("taken", r.lease(1, 1000), "0-0:1@0")
		pass(2 * time.Second)
		if err := r.m.Settle(r.t.Context()); err != nil {
			t.Error(err)
		}
		r.want("taken", r.lease(1, 1000), "1-1:1@0")
		r.store.mu.Lock()
		r.store.hold = true
		r.store.mu.Unlock()
		pass(2 * time.Second)
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
		defer cancel()
		if err := r.m.Settle(ctx); err == nil {
			t.Error("settled, and nothing is stored")
		}
		r.store.let()
	})
}
