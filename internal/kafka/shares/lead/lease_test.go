package lead

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/share"
	"ottla/internal/wire"
)

// lease takes records by receipts, and gives what it got once that is stored.
func (r *rig) lease(most int, lockMs int64) string {
	r.t.Helper()
	p := r.m.Part(r.key)
	var g Given
	stored := make(chan error, 1)
	for range loads {
		if err := p.Lease(&Want{MaxRecords: most, MaxBytes: 1 << 20, MinOne: true, Strict: true, LockMs: lockMs}, &g, func(err error) { stored <- err }); err != nil {
			return wire.CodeOf(err).Name()
		}
		if g.Records > 0 {
			break
		}
		synctest.Wait()
	}
	if r.whole(&g); g.Records == 0 {
		return ""
	}
	synctest.Wait()
	select {
	case err := <-stored:
		if err != nil {
			return "lost: " + wire.CodeOf(err).Name()
		}
	default:
		return "not stored"
	}
	var out []string
	for _, a := range g.Acquired {
		out = append(out, fmt.Sprintf("%d-%d:%d@%d", a.First, a.Last, a.Count, g.Epoch))
	}
	return strings.Join(out, " ")
}

// say says things by receipts and waits for the answers.
func (r *rig) say(words ...share.Word) string {
	r.t.Helper()
	said := make(chan []error, 1)
	r.m.Part(r.key).Redeem(words, func(errs []error) { said <- errs })
	synctest.Wait()
	select {
	case errs := <-said:
		var out []string
		for _, err := range errs {
			out = append(out, wire.CodeOf(err).Name())
		}
		return strings.Join(out, " ")
	default:
		return "no answer"
	}
}

func word(offset int64, count int16, t share.AckType, forMs int64) share.Word {
	return share.Word{Receipt: share.Receipt{Offset: offset, Count: count}, Type: t, ForMs: forMs}
}

// restart is another manager on what was stored.
func (r *rig) restart() {
	r.t.Helper()
	r.m.Close()
	r.m = New(r.m.o)
	r.m.Part(r.key).Waiting(1) // loads it
	synctest.Wait()
}

func TestALeaseOutlivesItsLeader(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("abcd")
		r.want("leased", r.lease(2, 60_000), "0-1:1@0")
		r.want("another", r.lease(1, 5_000), "2-2:1@0")
		r.become(6)
		r.want("the rest", r.give("m", 9), "3-3:1")
		r.want("by receipt", r.say(word(0, 1, share.Accept, 0)), "NONE")
		pass(5 * time.Second)
		r.want("the short one is over", r.give("m", 9), "2-2:2")
		r.want("its receipt", r.say(word(2, 1, share.Accept, 0)), "INVALID_RECORD_STATE")
		r.want("accepted", r.ack("m", 2, 3, share.Accept), "NONE")
		pass(54 * time.Second)
		r.want("the long one is not", r.give("n", 1), "")
		pass(time.Second)
		r.want("until now", r.give("n", 1), "1-1:2")
		st, _ := r.m.Part(r.key).Stats()
		if st.Leased != 0 {
			t.Errorf("%+v: nothing is leased any more", st)
		}
	})
}

func TestALeaseIsShownToNobodyBeforeItIsStored(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("ab")
		r.want("loaded", r.give("m", 1), "0-1:1")
		r.want("released", r.ack("m", 0, 1, share.Release), "NONE")
		r.store.mu.Lock()
		r.store.hold = true
		r.store.mu.Unlock()
		r.want("held up", r.lease(9, 1000), "not stored")
		r.store.let()
		pass(time.Second)
		r.store.failNext(wire.NotCoordinator)
		r.append("c")
		r.want("lost", r.lease(1, 1000), "lost: NOT_COORDINATOR")
		r.want("free again, as if it had not been", r.give("m", 9), "0-1:3 2-2:1")
	})
}

func TestADelayIsKeptThroughARestart(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("abc")
		r.want("leased", r.lease(9, 10_000), "0-2:1@0")
		r.want("said", r.say(word(0, 1, share.Release, 30_000), word(1, 1, share.Renew, 50_000), word(2, 1, share.Accept, 0), word(2, 1, share.Accept, 0)),
			"NONE NONE NONE INVALID_RECORD_STATE")
		pass(10 * time.Second)
		r.restart()
		r.want("early", r.give("m", 9), "")
		pass(19 * time.Second)
		r.want("still early", r.give("m", 9), "")
		pass(time.Second)
		r.want("its time has come", r.give("m", 9), "0-0:2")
		pass(19 * time.Second)
		r.restart()
		r.want("leased still, and the member's lock is gone", r.give("n", 9), "0-0:2")
		pass(time.Second)
		r.want("the lease is over", r.give("n", 9), "1-1:2")
	})
}

func TestAKeyIsParkedThroughARestart(t *testing.T) {
	in(t, func(s *Settings) { s.KeyOrdered = true }, func(r *rig) {
		r.append("xyxz")
		r.want("all, as they follow each other", r.lease(9, 60_000), "0-3:1@0")
		r.want("said", r.say(word(0, 1, share.Release, 20_000), word(1, 1, share.Accept, 0)), "NONE NONE")
		r.restart()
		st, _ := r.m.Part(r.key).Stats()
		if st.Parked != 1 || st.Leased != 2 {
			t.Errorf("%+v, want one key parked and two records leased before anybody reads", st)
		}
		r.want("x waits, z is leased", r.give("m", 9), "")
		pass(20 * time.Second)
		r.want("the second x is out still", r.give("m", 9), "")
		r.want("for takers too", r.lease(9, 1000), "")
		r.want("done", r.say(word(2, 1, share.Accept, 0)), "NONE")
		r.want("x goes on", r.give("m", 9), "0-0:2")
		if rows := r.store.state().Rows; len(rows) == 0 || rows[0].KeyLock != hashOf([]byte("x")) {
			t.Errorf("stored %+v, want x locked by its first record", rows)
		}
	})
}

func TestAReceiptOfAStateThatWasResetIsRefused(t *testing.T) {
	in(t, nil, func(r *rig) {
		r.append("ab")
		r.want("leased", r.lease(9, 60_000), "0-1:1@0")
		r.code = wire.NotLeaderOrFollower
		r.want("led elsewhere", r.say(word(0, 1, share.Accept, 0)), "NOT_LEADER_OR_FOLLOWER")
		r.code = wire.None
		r.want("not loaded yet", r.say(word(0, 1, share.Accept, 0)), "COORDINATOR_LOAD_IN_PROGRESS")
		r.reinit(1, 0)
		r.m.Forget("g", r.key)
		r.want("leased anew", r.lease(1, 60_000), "0-0:1@1")
		r.want("the old receipt", r.say(word(0, 1, share.Accept, 0)), "INVALID_RECORD_STATE")
		mine := word(0, 1, share.Accept, 0)
		mine.Epoch = 1
		r.want("the new one", r.say(mine), "NONE")
	})
}

func TestHashesOfKeysAreAsDocumented(t *testing.T) {
	for key, want := range map[string]uint64{"": 0xcbf29ce484222325, "a": 0xaf63dc4c8601ec8c, "foobar": 0x85944171f73967e8} {
		if got := hashOf([]byte(key)); got != want {
			t.Errorf("%q: %x, want %x", key, got, want)
		}
	}
}
