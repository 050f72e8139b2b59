package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/outbound"
	"ottla/internal/event/produce"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule/course"
)

// desk is the queue of dead letters, which may be out of reach.
type desk struct {
	Queues
	err error
}

func (d *desk) Records(context.Context, queue.Ref, []queue.Message) ([]*kgo.Record, error) {
	return []*kgo.Record{{Topic: "dead"}}, d.err
}

// A queue that cannot be written to at the moment gets its dead letters later; one that
// is not there, or takes none so large, gets none.
func TestADeadLetterWaitsForItsQueue(t *testing.T) {
	to := &desk{}
	r := &runner{s: &Service{o: Options{Queues: to, Logger: slog.New(slog.DiscardHandler)}}, looking: t.Context()}
	k := &known{Schedule: Schedule{Spec: Spec{Expression: "rate(1 hour)", EndMs: now, Target: Target{URL: "https://example.org"}, DeadLetters: "dead"}, ID: "x"}}
	k.SinceMs = now
	k.timing, k.err = k.Schedule.timing()
	before := &plan{def: k, nowMs: now}
	r.decide(before)
	if len(before.calls) != 1 {
		t.Fatalf("%d calls, want one", len(before.calls))
	}
	look := func(unwritten, unmade error) *plan {
		to.err = unmade
		p := &plan{def: k, nowMs: now, before: before.state, results: []ended{{id: "x", slotMs: now, result: course.Result{Final: true}}}, fails: map[output]error{}}
		if unwritten != nil {
			p.fails[output{slotMs: now, letter: true}] = unwritten
		}
		r.decide(p)
		return p
	}
	for _, err := range []error{produce.ErrLate, kerr.NotEnoughReplicas, kerr.MessageTooLarge} {
		p := look(err, nil)
		if len(p.outputs) > 0 || len(p.held) != 1 || p.failed != 1 || p.rest.Over || p.rest.WakeMs <= now {
			t.Errorf("%v: it does not wait: %+v", err, p)
		}
	}
	p := look(nil, fmt.Errorf("%w: no leader", queue.ErrUnavailable))
	again := &plan{def: k, nowMs: p.rest.WakeMs, before: p.state, fails: map[output]error{}}
	to.err = nil
	if r.decide(again); len(again.outputs) != 1 || len(again.calls) > 0 || again.failed > 0 || !again.rest.Over {
		t.Errorf("later: %+v", again)
	}
	for _, err := range []error{queue.ErrNotFound, queue.ErrInvalid} {
		if p := look(nil, err); len(p.outputs) > 0 || len(p.given) != 1 || p.given[0].err == nil || !p.rest.Over {
			t.Errorf("%v: %+v", err, p)
		}
	}
	if p := look(kerr.InvalidRecord, nil); !p.rest.Over {
		t.Errorf("what is never taken: %+v", p)
	}
}

// lines are addresses of which some do not answer before another was called.
type lines struct {
	mu     sync.Mutex // guards mute
	mute   int        // calls of them that are under way
	called chan struct{}
}

func (l *lines) Do(ctx context.Context, q outbound.Request) outbound.Answer {
	if !strings.Contains(q.URL, "mute") {
		close(l.called)
		return outbound.Answer{Status: 200}
	}
	l.mu.Lock()
	l.mute++
	l.mu.Unlock()
	select {
	case <-l.called:
	case <-ctx.Done():
	}
	return outbound.Answer{Status: 200}
}

// A place that does not answer holds up its own calls, however many they are.
func TestAPlaceThatDoesNotAnswerHoldsUpNoOthers(t *testing.T) {
	to := &lines{called: make(chan struct{})}
	r := newRunner(&Service{o: Options{HTTP: to}, ctx: t.Context()}, 0, 1)
	r.flyingTo = map[string]int{}
	queue := func(url string) {
		it := run{Schedule: Schedule{Spec: Spec{Target: Target{URL: url}}}}
		r.queued = append(r.queued, callOf(url, it))
	}
	for i := range 10 * mostCalls {
		queue(fmt.Sprint("https://mute.example.org/", i))
	}
	queue("https://example.org")
	var helpers sync.WaitGroup
	r.launch(t.Context(), &helpers)
	if n := 10*mostCalls + 1 - len(r.queued); n != mostCallsTo+1 {
		t.Fatalf("%d calls are under way, want %d", n, mostCallsTo+1)
	}
	<-to.called
	helpers.Wait()
	for len(r.queued) > 0 { // the others follow, as there is room
		r.take()
		r.launch(t.Context(), &helpers)
		helpers.Wait()
	}
	if r.take(); r.flying != 0 || len(r.flyingTo) != 0 || to.mute != 10*mostCalls {
		t.Errorf("%d and %v are under way; %d were made", r.flying, r.flyingTo, to.mute)
	}
}
