package liveness

import (
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/liveness/tracker"
)

// A node that nobody hears counts as cut off, but only after others may have taken
// its place; one that is alone, or was told that it is fenced, does not.
func TestANodeThatNobodyHearsIsMute(t *testing.T) {
	in(t, func(t *testing.T, c *cluster) {
		alone := NewSpeaker(SpeakerOptions{NodeID: 9})
		c.serving(1, 2)
		pass(10 * time.Second)
		s, began := c.speakers[2], time.Now()
		c.set(func() { c.cut[2] = true })
		for !s.Mute() {
			if pass(time.Millisecond); time.Since(began) > time.Minute {
				t.Fatal("a minute later it is not mute")
			}
		}
		synctest.Wait()
		if took := time.Since(began); took > tracker.DefaultSilence+muteAfter || !c.image().Broker(2).Fenced || s.Trusted() {
			t.Errorf("mute after %v; fenced %v, trusted %v", took, c.image().Broker(2).Fenced, s.Trusted())
		}
		pass(time.Hour)
		if !s.Mute() || alone.Mute() || c.speakers[1].Mute() {
			t.Errorf("an hour later mute: %v; one that is alone %v, one that is heard %v", s.Mute(), alone.Mute(), c.speakers[1].Mute())
		}
		c.set(func() { c.cut[2] = false })
		for s.Mute() {
			pass(time.Millisecond) // it is told that it is fenced, and registers anew
		}
		if pass(3 * time.Second); s.Mute() || !s.Trusted() {
			t.Errorf("back again: mute %v, trusted %v", s.Mute(), s.Trusted())
		}
	})
}
