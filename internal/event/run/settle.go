package run

import (
	"context"
	"maps"
	"slices"
	"time"
)

// ask is somebody who waits until the pass is at the log's end.
type ask struct {
	end    int64 // -1 before it was looked up
	answer chan error
}

// mostRounds bounds how often an event may set off another before Settle returns.
const mostRounds = 2 * mostHops

// Settle returns when all events that lie at this node's partitions were given to their
// targets: for a clock that was moved. Targets that fail were tried once more.
func (s *Service) Settle(ctx context.Context) error {
	if err := s.current(ctx); err != nil {
		return err
	}
	for s.look(); s.isMaking(); s.look() { // there are runners when their topics are there
		if err := s.await(ctx, nil); err != nil {
			return err
		}
	}
	before := map[*runner]int64{}
	for range mostRounds {
		s.mu.Lock()
		runners := slices.Collect(maps.Values(s.runners))
		s.mu.Unlock()
		moved := false
		for _, r := range runners {
			if err := r.settle(ctx); err != nil {
				return err
			}
			at := r.passAt.Load()
			was, known := before[r]
			moved = moved || !known || was != at
			before[r] = at
		}
		if !moved {
			break
		}
	}
	return nil
}

func (s *Service) isMaking() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.making
}

// settle is Settle for one runner.
func (r *runner) settle(ctx context.Context) error {
	a := ask{end: -1, answer: make(chan error, 1)}
	r.mu.Lock()
	if r.ctx.Err() != nil {
		r.mu.Unlock()
		return nil
	}
	r.asking = append(r.asking, a)
	r.mu.Unlock()
	r.ring()
	select {
	case err := <-a.answer:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	branches := slices.Collect(maps.Values(r.walking))
	var told []<-chan struct{}
	for _, b := range branches {
		told = append(told, b.told)
	}
	r.mu.Unlock()
	for i, b := range branches {
		ring(b.poke)
		select {
		case <-told[i]:
		case <-b.over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// tell tells who waits that the branch has made an attempt.
func (b *branch) tell() {
	b.r.mu.Lock()
	defer b.r.mu.Unlock()
	close(b.told)
	b.told = make(chan struct{})
}

// settled answers those who asked, where the pass is at what was the end then.
func (p *pass) settled() {
	p.r.mu.Lock()
	asking := p.r.asking
	p.r.asking = nil
	p.r.mu.Unlock()
	if len(asking) == 0 {
		return
	}
	var left []ask
	for _, a := range asking {
		if a.end < 0 {
			end, err := p.feed.log.End(p.ctx)
			if err != nil {
				a.answer <- err
				continue
			}
			a.end = end
		}
		if p.at >= a.end && p.ending == nil {
			a.answer <- nil
			continue
		}
		left = append(left, a)
	}
	p.r.mu.Lock()
	p.r.asking = append(left, p.r.asking...)
	p.r.mu.Unlock()
}

// answer tells those who wait for a pass that is not there how it went.
func (r *runner) answer(err error) {
	r.mu.Lock()
	asking := r.asking
	r.asking = nil
	r.mu.Unlock()
	for _, a := range asking {
		a.answer <- err
	}
}

// await waits for a change, or for a moment: not everything tells that it has changed.
func (s *Service) await(ctx context.Context, moved <-chan struct{}) error {
	pause := 250 * time.Millisecond
	if moved == nil {
		pause = 10 * time.Millisecond
	}
	later := time.After(pause)
	select {
	case <-moved:
	case <-later:
	case <-s.ctx.Done():
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
