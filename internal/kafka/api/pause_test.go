package api

import (
	"testing"
	"time"
)

func TestAnAnswerLooksBeforeItsTimeIsOver(t *testing.T) {
	yes, no := func() bool { return true }, func() bool { return false }
	for _, c := range []struct {
		left time.Duration
		mute func() bool
		want time.Duration
	}{
		{time.Hour, nil, time.Hour},
		{time.Hour, no, lookAfter},
		{time.Hour, yes, cutOffWait},
		{time.Millisecond, no, time.Millisecond},
		{time.Millisecond, yes, time.Millisecond},
		{0, yes, 0},
	} {
		if got := Pause(c.left, c.mute); got != c.want {
			t.Errorf("%v left, mute %v: %v, want %v", c.left, c.mute != nil && c.mute(), got, c.want)
		}
	}
}
