package mapping

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ottla/internal/event/outbound"
	"ottla/internal/event/parting"
	"ottla/internal/event/pattern"
)

// Waits after something failed: twice as long each time.
const (
	firstPause = 250 * time.Millisecond
	mostPause  = 30 * time.Second
)

// runner carries a mapping out, as it was when the runner was made.
type runner struct {
	s    *Service
	m    *Mapping
	bell chan struct{} // rung when the source may have changed
	// ctx is for taking; stop ends that, and lets calls that are under way end. calls is
	// for those; cut ends both.
	ctx, calls context.Context
	// only are the mapping's filters, unread why it has none that can be read.
	only      *pattern.Set
	unread    error
	stop, cut context.CancelFunc

	mu      sync.Mutex // guards what follows
	problem string     // "" when the last call, or whatever was tried last, went well
	sinceMs int64      // when that began
}

func newRunner(s *Service, m *Mapping) *runner {
	r := &runner{s: s, m: m, bell: make(chan struct{}, 1)}
	r.calls, r.cut = context.WithCancel(s.ctx)
	r.ctx, r.stop = context.WithCancel(r.calls)
	r.only, r.unread = m.filters()
	return r
}

func (r *runner) ring() {
	select {
	case r.bell <- struct{}{}:
	default:
	}
}

// run lives until the runner is stopped.
func (r *runner) run() {
	defer r.cut()
	topic, ok := r.m.Topic()
	if r.m.Paused {
		if ok {
			r.keepGroup(topic)
		}
		<-r.ctx.Done()
		return
	}
	if why := r.lacking(); why != "" {
		r.s.o.Logger.Error("a mapping is not carried out", "mapping", r.m.Ref.Name, "err", why)
		r.tell(why)
		if ok {
			r.keepGroup(topic)
		}
		<-r.ctx.Done()
		return
	}
	if ok {
		r.readTopic()
		return
	}
	r.takeQueue()
}

// lacking tells why a mapping cannot be carried out by this node; "" when it can.
func (r *runner) lacking() string {
	switch {
	case !r.s.o.Functions.Has(r.m.Function):
		return "the file of functions of this node declares no " + r.m.Function
	case r.unread != nil:
		return "this version of the node cannot read its filters: " + r.unread.Error()
	}
	return ""
}

// tell notes what is wrong, or that nothing is ("").
func (r *runner) tell(problem string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if (problem == "") != (r.problem == "") {
		r.sinceMs = r.s.o.Now().UnixMilli()
	}
	r.problem = problem
}

// trouble notes and logs what is wrong.
func (r *runner) trouble(what string, err error) {
	if r.ctx.Err() != nil {
		return
	}
	r.s.o.Logger.Warn(what, "mapping", r.m.Ref.Name, "source", r.m.Source, "function", r.m.Function, "err", err)
	r.tell(what + ": " + err.Error())
}

// errNotCalled says that waiting for the function ended before it was called.
var errNotCalled = errors.New("the function was not called")

// call has the function take an event. It waits, as long as waiting lasts, until the
// function may be called; the call has its own time then.
func (r *runner) call(waiting context.Context, event []byte) outbound.Answer {
	if err := waiting.Err(); err != nil { // a seat that is free would be had all the same
		return outbound.Answer{Err: fmt.Errorf("%w: %w", errNotCalled, err)}
	}
	call, err := r.s.o.Functions.Seat(waiting, r.m.Function)
	if err != nil {
		return outbound.Answer{Err: fmt.Errorf("%w: %w", errNotCalled, err)}
	}
	ctx, cancel := context.WithTimeout(r.calls, r.deadline())
	defer cancel()
	r.s.count.calls.Inc()
	return call(ctx, event)
}

func (r *runner) deadline() time.Duration { return time.Duration(r.m.DeadlineMs) * time.Millisecond }

// afterwards is for saying what came of a call, also when the runner was stopped
// meanwhile: it need not be made again then.
func (r *runner) afterwards() (context.Context, context.CancelFunc) {
	return parting.Context(r.calls, saidWithin, lastWords)
}

// rest waits after so many failures in a row; false when the runner is stopped.
func (r *runner) rest(failures int) bool { return r.s.pause(r.ctx, r.s.moment(), restOf(failures)) }

func restOf(failures int) time.Duration {
	if failures >= 8 { // 250 ms * 2^7 are more than the most
		return mostPause
	}
	return min(mostPause, firstPause<<max(failures-1, 0))
}
