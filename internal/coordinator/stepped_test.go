package coordinator

import (
	"context"
	"fmt"
	"testing"
	"time"

	"ottla/internal/wire"
)

// steps is a Stepped with a toy over a log in memory, and what it asked for.
type steps struct {
	*Stepped
	log   *memLog
	rings int
	later []func()
	said  []string
}

func newSteps(t *testing.T) *steps {
	t.Helper()
	s := &steps{log: &memLog{most: 1 << 20, auto: true}}
	s.Stepped = NewStepped(SteppedOptions{
		Options:   Options{Topic: "toys", New: func(int32) Machine { return newToy() }, Now: func() time.Time { return time.Time{} }},
		Partition: 3, Later: func(do func()) { s.later = append(s.later, do) }, Ring: func() { s.rings++ },
	})
	return s
}

func (s *steps) do(line string) {
	s.Do(context.Background(), line, func(body any, err error) {
		s.said = append(s.said, fmt.Sprintf("%s: %v %v", line, body, wire.CodeOf(err).Name()))
	})
}

// step steps until nothing rings.
func (s *steps) step(now time.Time) (at time.Time, ok bool) {
	for s.rings > 0 {
		s.rings = 0
		at, ok = s.Step(now)
	}
	return at, ok
}

// TestAStepDoesWhatAShardDoes: it loads, answers when the log has committed, sets its
// clock, runs work when it is let, and forgets with its lead.
func TestAStepDoesWhatAShardDoes(t *testing.T) {
	s, now := newSteps(t), time.UnixMilli(5000)
	s.do("get a") // it leads nothing
	s.Lead(s.log.tail(1))
	if !s.Loads() {
		t.Error("it has loaded before its first step")
	}
	s.step(now)
	if s.Loads() {
		t.Error("it has not loaded")
	}
	s.do("put a 1")
	s.do("at 2s put a 2")
	at, ok := s.step(now)
	if !ok || !at.Equal(now.Add(2*time.Second)) {
		t.Errorf("the clock is set to %v (%v)", at, ok)
	}
	if _, ok := s.Step(at); ok {
		t.Error("the timer is still set after it fired")
	}
	s.do("work put b 3")
	s.step(at)
	for _, do := range s.later {
		do()
	}
	s.step(at)
	s.do("get a")
	s.do("get b")
	s.step(at)
	s.Lead(s.log.tail(1)) // no newer than the one at hand
	s.Resign()
	s.do("get a")
	s.step(at)
	want := []string{
		"get a: <nil> NOT_COORDINATOR", "put a 1:  NONE", "at 2s put a 2: set NONE", "work put b 3: begun NONE",
		"get a: 2 NONE", "get b: 3 NONE", "get a: <nil> NOT_COORDINATOR",
	}
	if fmt.Sprint(s.said) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", s.said, want)
	}
}

// TestAStepWaitsForTheLog: a reply leaves in the step after its record is committed;
// one whose log is lost hears so, and the shard loads anew with its next lead.
func TestAStepWaitsForTheLog(t *testing.T) {
	s, now := newSteps(t), time.UnixMilli(5000)
	s.Lead(s.log.tail(1))
	s.step(now)
	s.log.auto = false
	s.do("put a 1")
	s.step(now)
	if len(s.said) != 0 {
		t.Fatalf("an answer before the log has it: %q", s.said)
	}
	s.Lead(s.log.tail(2)) // another leadership, that knows nothing of the reply
	s.step(now)
	s.Close()
	if fmt.Sprint(s.said) != "[put a 1: <nil> NOT_COORDINATOR]" {
		t.Errorf("got %q", s.said)
	}
}
