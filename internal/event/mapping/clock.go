package mapping

import (
	"context"
	"sync"
	"time"
)

// moment is a time by both clocks: what waits goes by the domain clock when that is moved
// forward, and waits no longer for one that is moved back.
type moment struct{ real, domain time.Time }

func (s *Service) moment() moment { return moment{time.Now(), s.o.Now()} }

// past tells whether it is that long ago by one of the clocks.
func (s *Service) past(at moment, long time.Duration) bool {
	return time.Since(at.real) >= long || s.o.Now().Sub(at.domain) >= long
}

// left is how long it is until that is past.
func (s *Service) left(at moment, long time.Duration) time.Duration {
	return max(0, long-max(time.Since(at.real), s.o.Now().Sub(at.domain)))
}

// board knows who calls functions, and who waits for the domain clock.
type board struct {
	mu      sync.Mutex      // guards what follows
	turn    context.Context // ends when the clock is moved
	end     context.CancelFunc
	tasks   map[*task]bool // that are not idle
	changed chan struct{}  // closed when one of them has changed
}

func newBoard() *board {
	b := &board{tasks: map[*task]bool{}, changed: make(chan struct{})}
	b.turn, b.end = context.WithCancel(context.Background())
	return b
}

// moved wakes all who wait, to look at the clock.
func (b *board) moved() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end()
	b.turn, b.end = context.WithCancel(context.Background())
}

// now is what ends when the clock is moved: to be had before that is looked at.
func (b *board) now() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.turn
}

// task is what one goroutine of a runner is about: nothing, a call with what belongs to it,
// or waiting.
type task struct {
	s *Service
	// What follows is guarded by the board.
	waits bool
	since moment
	long  time.Duration
	halts bool // the clock is to halt when it is past
	done  int  // how often it was busy and is no more
}

func (t *task) set(busy bool, w task) {
	b := t.s.board
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tasks[t] && !t.waits && (!busy || w.waits) {
		t.done++
	}
	t.waits, t.since, t.long, t.halts = w.waits, w.since, w.long, w.halts
	if delete(b.tasks, t); busy {
		b.tasks[t] = true
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

func (t *task) busy() { t.set(true, task{}) }

func (t *task) idle() { t.set(false, task{}) }

func (t *task) waiting(since moment, long time.Duration, halts bool) {
	t.set(true, task{waits: true, since: since, long: long, halts: halts})
}

// Settle returns when all calls are over that are under way, or become due by the domain
// clock: of batches whose window is over, and of what is tried again. It is for a clock
// that was moved. What was not taken yet is not waited for.
func (s *Service) Settle(ctx context.Context) error {
	s.board.moved()
	for range 2 { // a batch of messages that was gathered is called by another
		for due := s.atWork(); ; {
			over, changed := s.settled(due)
			if over {
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-s.ctx.Done():
				return nil
			case <-changed:
			}
		}
	}
	return nil
}

// atWork are those who call, or have waited long enough to, with how often they will have
// done so. Whoever comes later is not waited for: there may always be somebody.
func (s *Service) atWork() map[*task]int {
	b := s.board
	b.mu.Lock()
	defer b.mu.Unlock()
	due := map[*task]int{}
	for t := range b.tasks {
		if s.isDue(t) {
			due[t] = t.done + 1
		}
	}
	return due
}

// isDue tells whether somebody who is not idle is to call, or does. board.mu held.
func (s *Service) isDue(t *task) bool { return !t.waits || s.past(t.since, t.long) }

// settled tells whether all of some have called, or need not.
func (s *Service) settled(due map[*task]int) (bool, <-chan struct{}) {
	b := s.board
	b.mu.Lock()
	defer b.mu.Unlock()
	for t, times := range due {
		if b.tasks[t] && t.done < times && s.isDue(t) {
			return false, b.changed
		}
	}
	return true, b.changed
}

// NextMs is when something is due next by the domain clock on this node, since 1970; 0 for
// nothing. What is tried again without a bound is not told: the clock would halt at each
// attempt.
func (s *Service) NextMs() int64 {
	b := s.board
	b.mu.Lock()
	defer b.mu.Unlock()
	var first int64
	for t := range b.tasks {
		if !t.halts {
			continue
		}
		if ms := s.o.Now().Add(s.left(t.since, t.long)).UnixMilli() + 1; first == 0 || ms < first {
			first = ms
		}
	}
	return first
}

// pause waits by either clock; false when the context has ended before.
func (s *Service) pause(ctx context.Context, since moment, long time.Duration) bool {
	for {
		turn := s.board.now()
		if s.past(since, long) {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(s.left(since, long)):
		case <-turn.Done():
		}
	}
}

// within ends a context when the clock is moved, too.
func within(ctx, turn context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(turn, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
