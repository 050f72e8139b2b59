package run

import (
	"context"
	"strconv"
	"strings"
	"time"

	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

// sweepWithin bounds how long a partition of StateTopic is looked through.
const sweepWithin = time.Minute

// sweepSome has the partitions of StateTopic looked through that this node has come to
// lead. mu held.
func (s *Service) sweepSome() {
	state, ok := s.o.Topic(StateTopic)
	if !ok {
		return
	}
	for p := range int32(min(state.Partitions, Partitions)) {
		if !s.o.Leads(StateTopic, p) {
			delete(s.swept, p)
			continue
		}
		if s.swept[p] {
			continue
		}
		s.swept[p] = true
		s.running.Go(func() {
			if err := s.sweep(p); err != nil && s.ctx.Err() == nil {
				s.o.Logger.Warn("what was known of buses that are no more is still there", "topic", StateTopic, "partition", p, "err", err)
				s.mu.Lock()
				delete(s.swept, p) // whenever something changes
				s.mu.Unlock()
			}
		})
	}
}

// sweep takes back what a partition of StateTopic says of sources that have vanished
// while nobody ran them: who did would have.
func (s *Service) sweep(partition int32) error {
	ctx, cancel := context.WithTimeout(s.ctx, sweepWithin)
	defer cancel()
	if err := s.mirror.end(ctx, partition); err != nil {
		return err
	}
	seats, err := s.mirror.known(partition)
	if err != nil {
		return err
	}
	if err := s.current(ctx); err != nil {
		return err
	}
	for _, key := range seats {
		seat, ok := seatOf(key)
		if !ok || s.published(seat.Source) != nil || s.runs(seat) {
			continue
		}
		r := newRunner(s, seat, &plan.Source{ID: seat.Source}, partition)
		err := r.erase()
		if r.stop(); err != nil {
			return err
		}
	}
	return nil
}

// runs tells whether this node runs a seat.
func (s *Service) runs(seat course.Seat) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runners[seat] != nil
}

// seatOf reads a seat's key.
func seatOf(key string) (course.Seat, bool) {
	source, text, _ := strings.Cut(key, "/")
	p, err := strconv.ParseInt(text, 10, 32)
	return course.Seat{Source: source, Partition: int32(p)}, err == nil && source != ""
}
