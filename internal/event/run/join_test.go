package run

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

// A branch that has reached the pass may tell that once more while it is taken back. Is
// it still heard of when it has ended, and the pass was loaded again since, the pass
// would take its target back wherever the pass is then.
func TestABranchThatHasEndedIsNotTakenBackAgain(t *testing.T) {
	tried := make(chan struct{}, 1)
	s := &Service{o: Options{Logger: slog.New(slog.DiscardHandler), Client: func(...kgo.Opt) (*kgo.Client, error) {
		ring(tried)
		return nil, errors.New("there is no cluster")
	}}, ctx: t.Context()}
	r := newRunner(s, course.Seat{Source: "b"}, &plan.Source{}, 0)
	ctx, cancel := context.WithCancel(t.Context())
	n := course.Name{Target: "t"}
	r.begin(ctx, n, course.Branch{At: 11})
	<-tried
	r.mu.Lock()
	b := r.walking[n]
	r.joins[n] = b
	r.mu.Unlock()
	cancel()
	r.helpers.Wait()
	if r.joins[n] != nil || r.walking[n] != nil {
		t.Errorf("a branch that has ended is still to be taken back: %v, or walks: %v", r.joins, r.walking)
	}
}

// A client that was closed may go on telling: who looks at what was refused does not look
// at what is still written.
func TestWhatWasRefusedIsLookedAtAsItWas(t *testing.T) {
	var f refused
	f.promise(&kgo.Record{}, errors.New("it is ill"))
	got := f.get()
	f.promise(&kgo.Record{}, errors.New("so is this"))
	if len(got) != 1 || len(f.get()) != 2 {
		t.Errorf("%d were refused at first, and %d then", len(got), len(f.get()))
	}
}

// An event that is given up, but whose dead letter cannot be written either, waits longer
// and longer, and says what was wrong first.
func TestADeadLetterThatCannotBeWrittenIsTriedWithPauses(t *testing.T) {
	g := &plan.Target{Key: "t", Retry: plan.Retry{MaxAgeMs: 1}}
	s := &Service{o: Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.UnixMilli(1000) }}, ctx: t.Context()}
	r := newRunner(s, course.Seat{Source: "b"}, &plan.Source{Rules: []*plan.Rule{{Targets: []*plan.Target{g}}}}, 0)
	b := &branch{r: r, n: course.Name{Target: "t"}, careful: true, state: course.Branch{SinceMs: 1}, doomed: map[int64]dead{}, told: make(chan struct{})}
	var waits []time.Duration
	for _, why := range []string{"it is ill", "so are dead letters", "so are dead letters"} {
		waits = append(waits, b.judge(&failedError{map[string]failure{"t": {err: errors.New(why), offset: 7}}}))
	}
	if waits[0] != 0 || waits[1] <= 0 || waits[2] <= waits[1] || b.doomed[7].why != "it is ill" {
		t.Errorf("pauses are %v, and the letter says %q", waits, b.doomed[7].why)
	}
}

// A turn that fails again and again becomes smaller.
func TestATurnThatFailsBecomesSmaller(t *testing.T) {
	for failures, want := range map[int]int{0: mostEvents, 1: mostEvents / 2, 3: mostEvents / 8, 14: 1, 1000: 1} {
		if got := (&runner{failures: failures}).most(); got != want {
			t.Errorf("after %d failures a turn takes %d events, want %d", failures, got, want)
		}
	}
}
