package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ottla/internal/kafka/queues"
	"ottla/internal/kafka/shares/lead"
)

// Stats counts the messages of a queue.
func (s *Service) Stats(ctx context.Context, ref Ref) (Stats, error) {
	q, err := s.open(ctx, ref)
	if err != nil {
		return Stats{}, err
	}
	out, err := s.count(ctx, q)
	if err != nil || q.DeadLetter == nil {
		return out, err
	}
	dead, err := s.open(ctx, q.DeadLetter.Queue)
	if errors.Is(err, ErrNotFound) {
		return out, nil // it was deleted: then nothing waits there
	}
	if err != nil {
		return Stats{}, err
	}
	d, err := s.count(ctx, dead)
	out.Dead = d.Waiting + d.InFlight + d.Delayed
	return out, err
}

// count counts those of one queue, without its dead letters.
func (s *Service) count(ctx context.Context, q *opened) (Stats, error) {
	out := Stats{OldestMs: -1}
	for _, p := range q.parts() {
		v, err := s.survey(ctx, p)
		if err != nil {
			return Stats{}, fmt.Errorf("count the messages of %s: %w: %w", q.Full(), ErrUnavailable, err)
		}
		out.Waiting += v.Waiting
		out.InFlight += v.InFlight
		out.Delayed += v.Delayed
		if v.OldestMs >= 0 {
			out.OldestMs = max(out.OldestMs, max(0, s.nowMs()-v.OldestMs))
		}
	}
	return out, nil
}

// survey counts one partition, once it has a leader.
func (s *Service) survey(ctx context.Context, p queues.Part) (lead.Survey, error) {
	for begun := time.Now(); ; {
		v, err := s.o.Leases.Survey(ctx, p)
		if err == nil || !passing(err) || time.Since(begun) > answerWithin {
			return v, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return v, err
		}
	}
}
