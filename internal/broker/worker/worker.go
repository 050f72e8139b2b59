// Package worker runs rounds: at a pace, and as soon as there is something to do.
//
// It is not for deciding what is to be done, which is the matter of who makes a
// Worker (packages insync and mend).
//
// Main type: Worker. Goroutines: one, from Start on; Close waits for it.
package worker

import (
	"context"
	"sync"
	"time"
)

// Worker runs the rounds of its owner, one at a time. Its methods may be called
// from any goroutine.
type Worker struct {
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup
	wake chan struct{} // has something in it when there is something to do

	mu      sync.Mutex // guards both
	running bool
	closed  bool
}

// New makes a Worker that does nothing before Start.
func New() *Worker {
	w := &Worker{wake: make(chan struct{}, 1)}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

// Start has rounds done from now on; ticked tells that a pace has passed, where it
// is not Wake that asks for the round. tick makes a ticker, and what stops it. Once
// started, or closed, it does nothing.
func (w *Worker) Start(pace time.Duration, tick func(time.Duration) (<-chan time.Time, func()), round func(ticked bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running || w.closed {
		return
	}
	w.running = true
	w.work.Go(func() {
		ticks, end := tick(pace)
		defer end()
		for {
			select {
			case <-w.wake:
				round(false)
			case <-ticks:
				round(true)
			case <-w.ctx.Done():
				return
			}
		}
	})
}

// Wake asks for a round soon: one for all who ask before it begins.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Running tells whether it was started.
func (w *Worker) Running() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running
}

// Context ends with the Worker.
func (w *Worker) Context() context.Context { return w.ctx }

// Close ends it and waits for the round that is under way.
func (w *Worker) Close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.stop()
	w.work.Wait()
}
