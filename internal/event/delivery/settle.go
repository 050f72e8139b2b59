package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
)

// ask is somebody who waits until all is delivered below an offset that is due.
type ask struct {
	end    int64
	answer chan error
}

// Settle returns when everything that lay in the partitions of this node and is due by
// the domain clock was attempted, and what came of it is kept: for a clock that was
// moved. What is to be tried again later is not waited for.
func (s *Service) Settle(ctx context.Context) error {
	s.Look()
	s.mu.Lock()
	runners := slices.Collect(maps.Values(s.runners))
	s.mu.Unlock()
	if len(runners) == 0 {
		return nil
	}
	c, err := s.o.Client()
	if err != nil {
		return fmt.Errorf("look where %s ends: %w", Topic, err)
	}
	defer c.Close()
	errs := make([]error, len(runners))
	var settling sync.WaitGroup
	for i, r := range runners {
		settling.Go(func() { errs[i] = r.settle(ctx, c) })
	}
	settling.Wait()
	return errors.Join(errs...)
}

// settle is Settle for one runner: of its own partition alone it is asked where that ends.
func (r *runner) settle(ctx context.Context, c *kgo.Client) error {
	log, err := follow.Open(follow.Options{Shared: c, Topic: Topic, Partition: r.partition})
	if err != nil {
		return err
	}
	defer log.Close()
	end, err := log.End(ctx)
	if err != nil {
		return err
	}
	select {
	case err := <-r.ask(end):
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// NextMs is when something is due next by the domain clock on this node, since 1970;
// 0 for nothing.
func (s *Service) NextMs() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first int64
	for _, r := range s.runners {
		if ms := r.next.Load(); ms > 0 && (first == 0 || ms < first) {
			first = ms
		}
	}
	return first
}

func (r *runner) ask(end int64) chan error {
	a := ask{end, make(chan error, 1)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		a.answer <- errStopped
		return a.answer
	}
	r.asking = append(r.asking, a)
	r.ring()
	return a.answer
}

// asked tells whether somebody waits.
func (r *runner) asked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asking) > 0
}

// settled answers those who asked, if nothing is to be done any more.
func (r *runner) settled() {
	if len(r.hot) > 0 || r.flying > 0 || r.writing != nil || r.rereading || len(r.wanting) > 0 || r.unwritten() {
		return
	}
	if ms := r.next.Load(); ms > 0 && ms <= r.s.nowMs() {
		r.ring() // the clock was moved meanwhile
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ended) > 0 || len(r.marked) > 0 || len(r.known) > 0 {
		return
	}
	r.asking = slices.DeleteFunc(r.asking, func(a ask) bool {
		if r.at < a.end {
			return false
		}
		a.answer <- nil
		return true
	})
}

// answer tells all who wait how it went.
func (r *runner) answer(err error) {
	if r.ctx.Err() != nil {
		err = errors.Join(err, errStopped)
	}
	r.mu.Lock()
	asking := r.asking
	r.asking = nil
	r.mu.Unlock()
	for _, a := range asking {
		a.answer <- err
	}
}
