package clock

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// node notes what the clock showed when it settled.
type node struct {
	clock *Clock
	saw   []time.Duration
	err   error
}

func (n *node) Settle(context.Context) error {
	n.saw = append(n.saw, n.clock.Ahead())
	return n.err
}

func (n *node) KafkaAddr() string { return "127.0.0.1:1" }

func TestAMovedClockSettlesEveryNodeThatHasJoined(t *testing.T) {
	c := &Clock{}
	a, b := &node{clock: c}, &node{clock: c}
	c.Join(a)
	c.Join(b)
	if err := c.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	c.Leave(b)
	if err := c.Advance(t.Context(), -30*time.Minute); err != nil {
		t.Fatal(err)
	}
	if len(a.saw) != 2 || a.saw[0] != time.Hour || a.saw[1] != 30*time.Minute || len(b.saw) != 1 {
		t.Errorf("the nodes saw %v and %v", a.saw, b.saw)
	}
	if got := time.Until(c.Now()); got < 29*time.Minute || got > 31*time.Minute {
		t.Errorf("it shows %v from now", got)
	}
}

func TestSetLetsItShowATime(t *testing.T) {
	c := &Clock{}
	want := time.Date(2040, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := c.Set(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if got := c.Now().Sub(want); got < 0 || got > time.Hour {
		t.Errorf("it shows %v after the time it was set to", got)
	}
}

func TestWhatDoesNotSettleIsToldAndTheClockHasMoved(t *testing.T) {
	c := &Clock{}
	broken := errors.New("broken")
	c.Join(&node{clock: c, err: broken})
	err := c.Advance(t.Context(), time.Hour)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "127.0.0.1:1") || c.Ahead() != time.Hour {
		t.Errorf("%v; it is %v ahead", err, c.Ahead())
	}
}

func TestNoClockIsTheRealTime(t *testing.T) {
	var c *Clock
	c.Join(&node{})
	c.Leave(&node{})
	if got := time.Since(c.Now()); got < 0 || got > time.Hour {
		t.Errorf("it is %v behind", got)
	}
}
