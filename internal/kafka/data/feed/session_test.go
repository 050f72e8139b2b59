package feed

import (
	"testing"

	"ottla/internal/kafka/wheel"
	"ottla/internal/partition"
	"ottla/internal/wire/pull"
)

// waiting is a session with one partition whose high watermark has moved while a
// fetch is parked.
func waiting(t *testing.T) (*session, *part) {
	t.Helper()
	w := wheel.New()
	t.Cleanup(w.Close)
	s := newSession(New(Options{Wheel: w}), 1, &pull.Request{})
	s.parked = &answer{session: s}
	p := &part{session: s}
	s.stir(p, partition.NewsMoved, nil)
	if !s.feeder.o.Wheel.Cancel(&s.lazy) || !s.armed {
		t.Fatal("the high watermark does not wait for company")
	}
	return s, p // the test says when the time is over
}

func TestAHighWatermarkThatHasWaitedIsDue(t *testing.T) {
	s, _ := waiting(t)
	s.overdue()
	if queue, due := s.takeQueue(); !due || len(queue) != 1 {
		t.Errorf("due %v with %d partitions, want one that is due", due, len(queue))
	}
}

// Under a steady load every answer tells the high watermark, and none has to leave
// for it alone.
func TestAHighWatermarkThatAnAnswerToldIsNotDue(t *testing.T) {
	s, p := waiting(t)
	queue, _ := s.takeQueue()
	s.giveBack(queue, nil, true)
	s.stir(p, partition.NewsMoved, nil)
	s.overdue()
	if s.due || !s.armed {
		t.Fatalf("due %v, waits %v: it came after the answer, and waits for its own time", s.due, s.armed)
	}
	if !s.feeder.o.Wheel.Cancel(&s.lazy) {
		t.Fatal("nothing ends its wait")
	}
	s.overdue()
	if queue, due := s.takeQueue(); !due || len(queue) != 1 {
		t.Errorf("due %v with %d partitions, want one that is due", due, len(queue))
	}
}

func TestNothingIsDueWhenAllIsTold(t *testing.T) {
	s, _ := waiting(t)
	queue, _ := s.takeQueue()
	s.giveBack(queue, nil, true)
	s.overdue()
	if s.due || s.armed {
		t.Errorf("due %v, waits %v, with nothing to tell", s.due, s.armed)
	}
}
