package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

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
	for _, err := range []error{kgo.ErrRecordTimeout, kerr.NotEnoughReplicas, kerr.MessageTooLarge} {
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
