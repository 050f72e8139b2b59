package worker

import (
	"testing"
	"time"
)

func TestRoundsAreDoneWhenAskedForAndAtAPace(t *testing.T) {
	w, ticks, stopped := New(), make(chan time.Time), make(chan time.Duration, 1)
	rounds, goOn := make(chan bool), make(chan struct{})
	tick := func(pace time.Duration) (<-chan time.Time, func()) {
		return ticks, func() { stopped <- pace }
	}
	round := func(ticked bool) { rounds <- ticked; <-goOn }
	w.Wake() // before it starts, which is no harm
	if w.Running() {
		t.Error("it runs before it was started")
	}
	w.Start(time.Second, tick, round)
	w.Start(time.Minute, tick, round) // a second start is none
	if ticked := <-rounds; ticked || !w.Running() {
		t.Errorf("the first round has ticked %v, and it runs: %v", ticked, w.Running())
	}
	for range 3 { // while one is under way
		w.Wake()
	}
	goOn <- struct{}{}
	if <-rounds {
		t.Error("a round that was asked for has ticked")
	}
	goOn <- struct{}{} // all three were asked for at once
	ticks <- time.Time{}
	if !<-rounds {
		t.Error("a round at the pace has not ticked")
	}
	closed := make(chan struct{})
	go func() {
		w.Close()
		close(closed)
	}()
	<-w.Context().Done()
	goOn <- struct{}{}
	<-closed
	if pace := <-stopped; pace != time.Second || len(stopped) > 0 {
		t.Errorf("the ticker of %v was stopped, want that of a second alone", pace)
	}
}

func TestWhatIsClosedDoesNotStart(t *testing.T) {
	w := New()
	w.Close()
	w.Start(time.Second, func(time.Duration) (<-chan time.Time, func()) {
		t.Error("it makes a ticker")
		return nil, func() {}
	}, func(bool) { t.Error("it does a round") })
	w.Wake()
	w.Close() // a second end is none
	if w.Running() {
		t.Error("it runs")
	}
}
