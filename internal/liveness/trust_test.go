package liveness

import (
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/controller"
	"ottla/internal/liveness/tracker"
	"ottla/internal/wire/own"
)

// A node whose heartbeats are lost does not trust itself any more before the
// controller lets another take its place.
func TestANodeDoesNotTrustItselfWhenItMayHaveBeenReplaced(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		alone := NewSpeaker(SpeakerOptions{NodeID: 9})
		c.serving(1, 2)
		pass(10 * time.Second)
		s := c.speakers[2]
		if !s.Trusted() || !alone.Trusted() {
			t.Fatalf("trusted %v, one that is alone %v", s.Trusted(), alone.Trusted())
		}
		c.set(func() { c.cut[2] = true })
		for !c.image().Broker(2).Fenced {
			pass(time.Millisecond)
			if synctest.Wait(); c.image().Broker(2).Fenced && s.Trusted() {
				t.Fatal("node 2 is fenced and trusts itself")
			}
		}
		pass(time.Hour)
		if s.Trusted() || !c.speakers[1].Trusted() {
			t.Errorf("an hour later node 2 trusts itself: %v, node 1: %v", s.Trusted(), c.speakers[1].Trusted())
		}
		c.set(func() { c.cut[2] = false })
		if pass(3 * time.Second); !s.Trusted() || c.image().Broker(2).Fenced {
			t.Errorf("back again: trusted %v, %+v", s.Trusted(), c.image().Broker(2))
		}
	})
}

// What a leader says that may itself have been deposed counts from when it was
// known to lead.
func TestTrustIsNoLongerThanTheLeadersOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		standing, fenced := 1500*time.Millisecond, false
		s := NewSpeaker(SpeakerOptions{NodeID: 2})
		s.Applied(0)
		answer := func() {
			s.take(&own.HeartbeatRequest{}, &own.HeartbeatResponse{StandingMs: int32(standing.Milliseconds()), Fenced: fenced}, time.Now())
		}
		still := func(what string, wait time.Duration, want bool) {
			t.Helper()
			pass(wait)
			if s.Trusted() != want {
				t.Errorf("%s: trusted %v, want %v", what, !want, want)
			}
		}
		pass(time.Second)
		answer()
		still("just before its end", 499*time.Millisecond, true)
		still("at its end", time.Millisecond, false)
		standing = 0
		answer()
		standing = time.Hour // a leadership that has only begun shortens nothing
		answer()
		still("just before its end", 2*time.Second-time.Millisecond, true)
		still("at its end", time.Millisecond, false)
		standing, fenced = 0, true
		answer()
		still("fenced", 0, false)
		fenced = false
		answer()
		still("serving again", 0, true)
	})
}

// A node that is heard but hears no more of the metadata may have lost its place by
// order; one that is only slow to apply them has not.
func TestANodeThatHearsNoMoreOfTheMetadataDoesNotTrustItself(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		c.serving(1, 2)
		pass(10 * time.Second)
		s := c.speakers[2]
		c.set(func() { c.lags[2] = true })
		if pass(time.Hour); !s.Trusted() {
			t.Error("nothing happened, and it does not trust itself")
		}
		move := func() { c.must(controller.AllocateProducerIDs{BrokerID: 1}) }
		move()
		if pass(tracker.DefaultSilence); s.Trusted() {
			t.Error("the metadata went on without it, and it trusts itself")
		}
		s.Applied(c.image().Offset)
		if pass(time.Second); !s.Trusted() {
			t.Error("it has applied them, and does not trust itself")
		}
		for range 100 { // never where the others are, half a second behind
			was := c.image().Offset
			move()
			pass(500 * time.Millisecond)
			if s.Applied(was); !s.Trusted() {
				t.Fatal("a node that is half a second behind does not trust itself")
			}
		}
		s.Distrust()
		s.Applied(c.image().Offset)
		if pass(time.Second); s.Trusted() {
			t.Error("a node that has failed trusts itself")
		}
	})
}

func TestAKeeperSaysHowLongItMayHaveBeenDeposed(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		for standing, want := range map[time.Duration]int32{0: 0, 70 * time.Millisecond: 70, -time.Second: 0, 1e6 * time.Hour: 1<<31 - 1} {
			c.keeper.o.Standing = func() time.Duration { return standing }
			if got := c.keeper.Heartbeat(&own.HeartbeatRequest{Node: 2}).StandingMs; got != want {
				t.Errorf("%v: said to be %d ms", standing, got)
			}
		}
	})
}
