package schedule

import (
	"context"
	"errors"
	"maps"
	"slices"

	"ottla/internal/event/name"
)

// Settle returns when everything that is due by the domain clock was run on this
// node, calls of addresses included: for a clock that was moved. What failed and
// is to be tried again later is not waited for.
func (s *Service) Settle(ctx context.Context) error {
	// What is not known here yet is due all the same.
	if err := s.current(ctx); err != nil {
		return err
	}
	s.Look()
	s.mu.Lock()
	runners := slices.Collect(maps.Values(s.runners))
	s.mu.Unlock()
	var errs []error
	var answers []chan error
	for _, r := range runners {
		answers = append(answers, r.ask())
	}
	for _, a := range answers {
		select {
		case err := <-a:
			errs = append(errs, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.Join(errs...)
}

// current returns when this node knows all definitions that were stored before.
func (s *Service) current(ctx context.Context) error {
	if _, _, err := s.o.Objects.List(ctx, name.Ref{Kind: name.Schedule, Account: name.DefaultAccount, Region: name.DefaultRegion}, "", 1); err != nil {
		return unavailable("read the definitions of schedules", err)
	}
	return nil
}

// ask has all schedules looked at, and is answered when nothing is due.
func (r *runner) ask() chan error {
	answer := make(chan error, 1)
	keys := r.s.view.of(r.partition, r.partitions)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		answer <- errStopped
		return answer
	}
	r.markHeld(keys)
	r.asking = append(r.asking, answer)
	r.ring()
	return answer
}

// settled answers those who asked, if nothing is to be done any more.
func (r *runner) settled() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.marked) > 0 || len(r.ended) > 0 || r.flying > 0 || len(r.queued) > 0 || len(r.leaving) > 0 {
		return
	}
	for _, a := range r.asking {
		a <- nil
	}
	r.asking = nil
}
