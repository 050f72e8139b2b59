package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"ottla/internal/event/outbound"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule/course"
)

// call is an attempt to deliver a run to an address or a function, or to a queue that
// delays its messages.
type call struct {
	key   string
	place string // whom it is made to
	run   run
}

// callOf is the call of a run.
func callOf(key string, it run) call {
	_, field, named := it.Target.named()
	c := call{key: key, place: field + " " + named, run: it}
	if u, err := url.Parse(it.Target.URL); err == nil && u.Host != "" {
		c.place = "//" + u.Host
	}
	return c
}

// ended is a call that is over.
type ended struct {
	key, id string // the schedule's
	place   string
	slotMs  int64
	result  course.Result
}

// launch begins calls that were noted, in their order as far as there is room.
func (r *runner) launch(ctx context.Context, helpers *sync.WaitGroup) {
	r.queued = slices.DeleteFunc(r.queued, func(c call) bool {
		if r.flying >= mostCalls || r.flyingTo[c.place] >= mostCallsTo {
			return false
		}
		r.flying++
		r.flyingTo[c.place]++
		helpers.Go(func() {
			result := r.s.call(ctx, c.run)
			if ctx.Err() != nil {
				return // it counts as not made
			}
			r.mu.Lock()
			r.ended = append(r.ended, ended{c.key, c.run.ID, c.place, c.run.SlotMs, result})
			r.mu.Unlock()
			r.ring()
		})
		return true
	})
}

// call makes one call and tells what came of it.
func (s *Service) call(ctx context.Context, it run) course.Result {
	if !it.Target.called() {
		return s.send(ctx, it)
	}
	s.count.attempts.Inc()
	var a outbound.Answer
	if it.Target.Function != "" {
		a = s.invoke(ctx, it)
	} else {
		a = s.o.HTTP.Do(ctx, outbound.Request{Method: it.Target.Method, URL: it.Target.URL, Header: callHeaders(it), Body: []byte(it.input())})
	}
	switch a.Judge() {
	case outbound.Delivered:
		return course.Result{OK: true}
	case outbound.Refused:
		return course.Result{Final: true, Why: a.Why()}
	}
	return course.Result{Why: a.Why(), AfterMs: a.RetryAfter(s.o.Now()).Milliseconds()}
}

// invoke calls a function. What waits until it may be called is no part of the time that
// it has.
func (s *Service) invoke(ctx context.Context, it run) outbound.Answer {
	ref, err := it.Target.Place(it.Ref)
	if err != nil {
		return outbound.Answer{Err: err}
	}
	if s.o.Functions == nil {
		return outbound.Answer{Err: fmt.Errorf("function %s: this node has no functions", ref.Name)}
	}
	call, err := s.o.Functions.Seat(ctx, ref.Name)
	if err != nil {
		return outbound.Answer{Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Functions.Deadline(ref.Name))
	defer cancel()
	return call(ctx, []byte(or(it.input(), "{}")))
}

// send sends a run to a queue.
func (s *Service) send(ctx context.Context, it run) course.Result {
	ctx, cancel := context.WithTimeout(ctx, outbound.DefaultTimeout)
	defer cancel()
	ref, err := queueRef(it.Target.Queue, it.Ref)
	if err != nil {
		return failure(err)
	}
	sent, err := s.o.Queues.Send(ctx, ref, []queue.Message{message(it, ref)})
	if err == nil && len(sent) == 1 {
		err = sent[0].Err
	}
	if err != nil {
		return failure(err)
	}
	return course.Result{OK: true}
}

// callHeaders are those of a call: in the form that CloudEvents have in HTTP, and
// the id once more under the name that many servers know.
func callHeaders(it run) map[string]string {
	// One name is one header however it is written, or chance would say which counts.
	all := map[string]string{"Idempotency-Key": it.id()}
	if it.Target.Input != "" {
		all["Content-Type"] = "text/plain; charset=utf-8"
		if json.Valid([]byte(it.Target.Input)) {
			all["Content-Type"] = "application/json"
		}
	}
	for _, from := range []map[string]string{about(it, "Ce-"), it.Target.Headers} {
		for _, k := range slices.Sorted(maps.Keys(from)) {
			all[http.CanonicalHeaderKey(k)] = from[k]
		}
	}
	return all
}
