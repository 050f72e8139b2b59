package clock

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// node notes what the clock showed when it settled, and when it did what is due.
type node struct {
	clock *Clock
	saw   []time.Duration
	err   error
	due   []time.Time // in order
	fired []fired
	then  func(at time.Time) // is told of each, and may add some
	stuck bool               // nothing of it gets done
	fails error              // of Fire
	fires int
}

type fired struct{ at, saw time.Time }

func (n *node) Next(context.Context) (time.Time, bool, error) {
	if len(n.due) == 0 {
		return time.Time{}, false, nil
	}
	return n.due[0], true, nil
}

func (n *node) Fire(context.Context) error {
	n.fires++
	for now := n.clock.Now(); len(n.due) > 0 && !n.due[0].After(now) && !n.stuck; {
		at := n.due[0]
		n.due = n.due[1:]
		n.fired = append(n.fired, fired{at, n.clock.Now()})
		if n.then != nil {
			n.then(at)
		}
	}
	return n.fails
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

// Two nodes, whose times lie between each other's, and one that makes more as it goes.
func TestEachThingSeesItsOwnTimeInOneMove(t *testing.T) {
	c := &Clock{}
	begin := c.Now()
	a, b := &node{clock: c}, &node{clock: c}
	for i := range 24 {
		n := []*node{a, b}[i%2]
		n.due = append(n.due, begin.Add(time.Duration(i+1)*time.Hour))
	}
	var order []time.Time
	a.then = func(at time.Time) { order = append(order, at) }
	b.then = func(at time.Time) {
		order = append(order, at)
		if at.Sub(begin) < 3*time.Hour { // and then every ten minutes
			b.due = append([]time.Time{at.Add(10 * time.Minute)}, b.due...)
		}
	}
	c.Join(a)
	c.Join(b)
	const d = 12*time.Hour + time.Minute
	if err := c.Advance(t.Context(), d); err != nil || c.Ahead() != d {
		t.Fatalf("%v; it is %v ahead", err, c.Ahead())
	}
	if len(order) != 12+6 || !slices.IsSortedFunc(order, time.Time.Compare) {
		t.Errorf("%d things were done, in order %t", len(order), slices.IsSortedFunc(order, time.Time.Compare))
	}
	for _, n := range []*node{a, b} {
		for _, f := range n.fired {
			if late := f.saw.Sub(f.at); late < 0 || late > 5*time.Minute {
				t.Errorf("what was due at %v saw the clock %v behind", f.at.Sub(begin), late)
			}
		}
		if len(n.saw) != 1 || n.saw[0] != d {
			t.Errorf("it settled at %v", n.saw)
		}
	}
}

// halfway is a node that fails each time in the middle: the timer is gone, and what
// it stood for is done only when it is asked again.
type halfway struct {
	node
	half []time.Time
}

func (n *halfway) Fire(context.Context) error {
	if len(n.half) == 0 && len(n.due) > 0 && !n.due[0].After(n.clock.Now()) {
		n.half, n.due = n.due[:1], n.due[1:]
		return errors.New("not yet")
	}
	for _, at := range n.half {
		n.fired = append(n.fired, fired{at, n.clock.Now()})
	}
	n.half = nil
	return nil
}

func TestAMomentsFailureKeepsTheClockWhereItIs(t *testing.T) {
	c := &Clock{}
	n := &halfway{node: node{clock: c}}
	for i := range 10 {
		n.due = append(n.due, c.Now().Add(time.Duration(i+1)*time.Hour))
	}
	c.Join(n)
	if err := c.Advance(t.Context(), 11*time.Hour); err != nil || len(n.fired) != 10 {
		t.Fatalf("%v; %d things were done", err, len(n.fired))
	}
	for _, f := range n.fired {
		if late := f.saw.Sub(f.at); late < 0 || late > 5*time.Minute {
			t.Errorf("what was due saw the clock %v behind", late)
		}
	}
}

// What does not get done, or fails, does not keep the clock from where it goes.
func TestAClockDoesNotStopForEver(t *testing.T) {
	for what, n := range map[string]*node{"stuck": {stuck: true}, "failing": {fails: errors.New("no")}} {
		c := &Clock{}
		n.clock = c
		for i := range 1000 {
			n.due = append(n.due, c.Now().Add(time.Duration(i+1)*time.Second))
		}
		c.Join(n)
		if err := c.Advance(t.Context(), time.Hour); err != nil || c.Ahead() != time.Hour || n.fires > 2*mostIdle {
			t.Errorf("%s: %v; it is %v ahead after %d halts", what, err, c.Ahead(), n.fires)
		}
	}
	c := &Clock{}
	n := &node{clock: c, due: []time.Time{c.Now().Add(time.Second)}, err: context.Canceled}
	c.Join(n)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Advance(over, time.Hour); !errors.Is(err, context.Canceled) || c.Ahead() != time.Hour || n.fires > 0 {
		t.Errorf("a caller who is gone: %v; it is %v ahead, %d halts", err, c.Ahead(), n.fires)
	}
}
