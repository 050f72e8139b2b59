package run

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
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
	g := &plan.Target{Key: "t", Retry: plan.Retry{Most: -1, MaxAgeMs: 1}}
	s := &Service{o: Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.UnixMilli(1000) }}, ctx: t.Context()}
	r := newRunner(s, course.Seat{Source: "b"}, &plan.Source{Rules: []*plan.Rule{{Targets: []*plan.Target{g}}}}, 0)
	r.passAt.Store(8)
	b := &branch{r: r, n: course.Name{Target: "t"}, careful: true, state: course.Branch{SinceMs: 1}, doomed: map[int64]dead{}, told: make(chan struct{})}
	var waits []time.Duration
	for _, why := range []string{"it is ill", "so are dead letters", "so are dead letters"} {
		waits = append(waits, b.judge(&failedError{map[string]failure{"t": {err: errors.New(why), offset: 7}}}))
	}
	if waits[0] != 0 || waits[1] <= 0 || waits[2] <= waits[1] || b.doomed[7].why != "it is ill" {
		t.Errorf("pauses are %v, and the letter says %q", waits, b.doomed[7].why)
	}
}

// How often an address is called says nothing of how often what calls it is written to.
func TestAnEventIsNotGivenUpBeforeItsAddressIsCalled(t *testing.T) {
	for kind, want := range map[plan.Kind]int{plan.Call: 0, plan.Queue: 1} {
		g := &plan.Target{Key: "t", To: plan.Place{Kind: kind}, Retry: plan.Retry{Most: 0, MaxAgeMs: 3600_000}}
		s := &Service{o: Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.UnixMilli(1000) }}, ctx: t.Context()}
		r := newRunner(s, course.Seat{Source: "b"}, &plan.Source{Rules: []*plan.Rule{{Targets: []*plan.Target{g}}}}, 0)
		b := &branch{r: r, n: course.Name{Target: "t"}, careful: true, state: course.Branch{SinceMs: 1}, doomed: map[int64]dead{}, told: make(chan struct{})}
		if b.judge(&failedError{map[string]failure{"t": {err: errors.New("it is ill"), offset: 7}}}); len(b.doomed) != want {
			t.Errorf("of a target of kind %d %d events were given up, want %d", kind, len(b.doomed), want)
		}
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

// waiting is a branch of a target that stays out of the pass, whose cursor it is at.
func waiting(t *testing.T) (*branch, *walk) {
	t.Helper()
	s := &Service{o: Options{Logger: slog.New(slog.DiscardHandler)}, ctx: t.Context()}
	r := newRunner(s, course.Seat{Source: "b"}, &plan.Source{}, 0)
	b := &branch{r: r, n: course.Name{Target: "t"}, bell: make(chan struct{}, 1), poke: make(chan struct{}, 1), over: make(chan struct{}),
		told: make(chan struct{}), state: course.Branch{At: 5}}
	b.haltAt.Store(-1)
	r.walking[b.n] = b
	r.passAt.Store(5)
	r.left["t"] = leaving{times: 100, last: time.Now()}
	return b, &walk{r: r, at: 5, seen: 5, feed: &feed{chunks: make(chan chunk)}}
}

// Who only stays out of the pass gives his turn to others who wait for one.
func TestWhoStaysOutLetsOthersHaveTheirTurn(t *testing.T) {
	b, w := waiting(t)
	for range mostBranches {
		b.r.turns <- struct{}{}
	}
	stays, got := make(chan error, 1), make(chan bool, 1)
	go func() { stays <- b.follow(t.Context(), w) }()
	go func() { got <- b.r.takeTurn(t.Context()) }()
	if err := <-stays; !errors.Is(err, errStays) {
		t.Errorf("it ends with %v", err)
	}
	<-b.r.turns
	if !<-got {
		t.Error("the other has no turn")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if b.r.takeTurn(ctx) {
		t.Error("there are more turns than there are")
	}
}

// Who stays out has no turn, and asks for one when there is something for him.
func TestWhoStaysOutHearsOfEvents(t *testing.T) {
	b, _ := waiting(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.stayOut(t.Context())
	}()
	for range 10 {
		ring(b.bell) // nothing is new: it waits on
	}
	select {
	case <-done:
		t.Fatal("it goes on where there is nothing to do")
	default:
	}
	b.r.passAt.Store(6)
	ring(b.bell)
	<-done
}

// A target that is to come to the pass's cursor and does not in time holds the pass up: it
// stays out longer from then on.
func TestATargetThatIsLateStaysOut(t *testing.T) {
	b, _ := waiting(t)
	b.r.left = map[string]leaving{}
	p := &pass{walk: walk{r: b.r, at: 5}, state: course.State{Branches: map[course.Name]course.Branch{b.n: {At: 5}}}}
	for range 2 {
		b.r.joins[b.n] = b
		if err := p.rejoin(); err != nil {
			t.Fatal(err)
		}
	}
	if l := b.r.left["t"]; l.times != 2 || l.stay() == 0 {
		t.Errorf("a target that was late twice has left %d times, and stays out for %v", l.times, l.stay())
	}
}

// What is the source's own is no target's fault, and many that are slow are not either.
func TestWhoIsToLeave(t *testing.T) {
	src := &plan.Source{Rules: []*plan.Rule{{}}}
	gone, slow := map[string]failure{"the source": {err: errNoTopic}}, map[string]failure{}
	for i := range mostBranches + 1 {
		key := strconv.Itoa(i)
		src.Rules[0].Targets = append(src.Rules[0].Targets, &plan.Target{Key: key})
		gone[key], slow[key] = failure{err: errNoTopic}, failure{err: errSlow}
	}
	for _, c := range []struct {
		of   map[string]failure
		want int
	}{
		{gone, mostBranches + 1}, {slow, 0}, {map[string]failure{"1": {err: errSlow}}, 1}, {map[string]failure{"the source": {err: errNoTopic}}, 0},
	} {
		if got := len((&failedError{c.of}).leave(src)); got != c.want {
			t.Errorf("of %d that failed %d leave, want %d", len(c.of), got, c.want)
		}
	}
}

// The pass waits longer for what its targets write to after each failure in a row.
func TestThePassHasMorePatienceAfterFailures(t *testing.T) {
	r := &runner{s: &Service{o: Options{Patience: time.Second}}}
	for failures, want := range map[int]time.Duration{0: time.Second, 2: 4 * time.Second, 100: mostPatience} {
		if r.failures = failures; r.patience() != want {
			t.Errorf("after %d failures it waits for %v, want %v", failures, r.patience(), want)
		}
	}
	r.s.o.Patience = time.Minute
	if r.patience() != time.Minute {
		t.Errorf("it waits for %v", r.patience())
	}
}
