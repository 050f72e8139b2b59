package coordinator

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/wire"
)

// begun is a toy that also has work which begins when it is committed: "later
// K V" puts, then begins work; "now K V" answers at once; "lazy K V" does so and
// is in no hurry to be written. results are the commands that work brought.
type begun struct {
	*toy
	started []string
	dones   []func(any)
	results []any
	ctx     context.Context
}

func (m *begun) Step(now time.Time, cmd Command) (Output, error) {
	line, _ := cmd.Body.(string)
	switch {
	case cmd.Token == 0 && line != "":
		return Output{Accepted: func() { m.results = append(m.results, line) }}, nil
	case strings.HasPrefix(line, "later "):
		out, err := m.toy.Step(now, Command{Token: cmd.Token, Body: "put" + line[5:]})
		out.Work = append(out.Work, Work{Committed: true, Begin: func(ctx context.Context, done func(any)) {
			m.started, m.dones, m.ctx = append(m.started, line), append(m.dones, done), ctx
		}})
		return out, err
	case strings.HasPrefix(line, "now "), strings.HasPrefix(line, "lazy "):
		verb, rest, _ := strings.Cut(line, " ")
		out, err := m.toy.Step(now, Command{Token: cmd.Token, Body: "put " + rest})
		out.Replies[0].Now, out.Lazy = true, verb == "lazy"
		return out, err
	}
	return m.toy.Step(now, cmd)
}

// bench is a core with that toy over a log in memory.
type bench struct {
	c       *core
	m       *begun
	log     *memLog
	now     time.Time
	flights []*flight
	results []result
	heard   []string
}

func newBench(t *testing.T) *bench {
	b := &bench{m: &begun{toy: newToy()}, log: &memLog{most: 1000}, now: time.UnixMilli(1_000_000)}
	b.c = newCore(coreOptions{
		topic: "__toys", logger: slog.New(slog.DiscardHandler), metrics: &Metrics{}, show: func(phase) {},
		synced: func(f *flight) { b.flights = append(b.flights, f) },
		work:   func(uint64, Work) {}, worked: func(r result) { b.results = append(b.results, r) },
		keep: func(uint64, Keeper, *snapshot) {},
	}, 0, b.m)
	b.c.lead(t.Context(), b.now, b.log.tail(1))
	b.turn()
	return b
}

func (b *bench) turn(lines ...string) {
	var calls []*call
	for _, line := range lines {
		calls = append(calls, &call{ctx: context.Background(), body: line, done: func(_ any, err error) {
			b.heard = append(b.heard, line+" "+wire.CodeOf(err).Name())
		}})
	}
	results := b.results
	b.results = nil
	b.c.turn(b.now, results, calls)
}

func (b *bench) commit() {
	b.log.commit()
	for _, f := range b.flights {
		b.c.committedTo(b.now, f)
	}
	b.flights = nil
}

func TestWorkThatOthersSeeBeginsWhenItsDecisionIsCommitted(t *testing.T) {
	b := newBench(t)
	b.turn("later k 1", "put l 2", "later m 3")
	if len(b.m.started) != 0 || len(b.heard) != 0 {
		t.Fatalf("before the commit: begun %v, heard %v", b.m.started, b.heard)
	}
	b.commit()
	if want := []string{"later k 1", "later m 3"}; !slices.Equal(b.m.started, want) {
		t.Errorf("begun %v, want %v", b.m.started, want)
	}
	if want := []string{"later k 1 NONE", "put l 2 NONE", "later m 3 NONE"}; !slices.Equal(b.heard, want) {
		t.Errorf("heard %v, want %v", b.heard, want)
	}
	b.m.dones[1]("m is done")
	b.m.dones[0]("k is done")
	b.turn()
	if want := []any{"m is done", "k is done"}; !slices.Equal(b.m.results, want) {
		t.Errorf("results %v, want %v", b.m.results, want)
	}
}

func TestWorkOfWhatWasLostDoesNotBegin(t *testing.T) {
	b := newBench(t)
	b.turn("later k 1")
	b.log.lose(wire.NotLeaderOrFollower)
	for _, f := range b.flights {
		b.c.committedTo(b.now, f)
	}
	b.flights = nil
	b.c.lead(t.Context(), b.now, b.log.tail(2))
	b.turn("put l 2")
	b.commit()
	if len(b.m.started) != 0 {
		t.Errorf("begun %v", b.m.started)
	}
}

func TestAResultOfAnEarlierLifeIsPassedOver(t *testing.T) {
	b := newBench(t)
	b.turn("later k 1")
	b.commit()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.c.lead(ctx, b.now, b.log.tail(2))
	b.m.dones[0]("k is done")
	b.turn()
	b.commit()
	b.turn("later k 2")
	b.commit()
	if len(b.m.results) != 0 {
		t.Errorf("results %v of a leadership that is over", b.m.results)
	}
	cancel()
	if b.m.ctx.Err() == nil {
		t.Error("the context of work outlives its leadership")
	}
}

// After everything was lost in one leadership, what was begun must have come to
// its end before the log is read again: else it could do twice, and late, what
// the next life has done and others have gone on from.
func TestALoadWaitsForWhatWasBegun(t *testing.T) {
	b := newBench(t)
	b.turn("later k 1")
	b.commit()
	b.turn("put l 2")
	b.log.lose(wire.KafkaStorageError)
	for _, f := range b.flights {
		b.c.committedTo(b.now, f)
	}
	b.flights = nil
	b.turn()
	if b.c.phase != loading || b.m.ctx.Err() == nil {
		t.Fatalf("phase %d, the context of what was begun: %v", b.c.phase, b.m.ctx.Err())
	}
	if _, ok := b.c.next(); ok {
		t.Error("the clock is looked at while nothing but the work's end is waited for")
	}
	b.m.dones[0]("k is done")
	b.turn()
	if b.c.phase != active || b.m.data["k"] != "1" || b.m.data["l"] != "" || len(b.m.results) != 0 {
		t.Errorf("phase %d, %s, results %v", b.c.phase, b.m, b.m.results)
	}
}

func TestAReplyThatRestsOnNothingNewLeavesAtOnce(t *testing.T) {
	b := newBench(t)
	b.turn("put k 1", "now l 2")
	if want := []string{"now l 2 NONE"}; !slices.Equal(b.heard, want) {
		t.Errorf("heard %v before the commit, want %v", b.heard, want)
	}
	b.commit()
	if want := []string{"now l 2 NONE", "put k 1 NONE"}; !slices.Equal(b.heard, want) {
		t.Errorf("heard %v, want %v", b.heard, want)
	}
}

func TestWhatNobodyNeedsWaitsForCompany(t *testing.T) {
	b := newBench(t)
	b.turn("lazy k 1")
	if want := []string{"lazy k 1 NONE"}; b.log.writes != 0 || !slices.Equal(b.heard, want) || b.m.data["k"] != "1" {
		t.Fatalf("%d writes, heard %v, the machine says %s", b.log.writes, b.heard, b.m)
	}
	b.turn("lazy l 1", "put m 1")
	b.commit()
	if b.log.writes != 1 || len(b.log.batches) != 1 || b.log.end != 3 {
		t.Errorf("%d writes up to offset %d, want one of three records", b.log.writes, b.log.end)
	}

	// Alone it is written when its time is over, and a read that saw it waits.
	b.turn("lazy k 2")
	at, ok := b.c.next()
	if !ok || !at.Equal(b.now.Add(lazyFor)) {
		t.Errorf("the clock is looked at again at %v, %t", at, ok)
	}
	b.now = at
	b.turn()
	if b.log.writes != 2 {
		t.Errorf("%d writes after its time, want 2", b.log.writes)
	}
	b.commit()
	b.turn("lazy k 3", "get k")
	if last := b.heard[len(b.heard)-1]; b.log.writes != 3 || last != "lazy k 3 NONE" {
		t.Errorf("%d writes, last heard %q: a read must not tell what is not committed", b.log.writes, last)
	}
	b.commit()
	if last := b.heard[len(b.heard)-1]; last != "get k NONE" {
		t.Errorf("last heard %q", last)
	}
}

// What waits is lost with everything else, and no write of it comes later.
func TestWhatWaitsIsForgottenWithTheRest(t *testing.T) {
	b := newBench(t)
	b.turn("lazy k 1")
	b.c.lead(t.Context(), b.now, b.log.tail(2))
	b.turn()
	if at, ok := b.c.next(); ok || b.log.writes != 0 || len(b.m.data) != 0 {
		t.Errorf("after a new leadership: next %v, %d writes, %s", at, b.log.writes, b.m)
	}
}

// A node that stops writes what waited.
func TestWhatWaitsIsWrittenAtTheEnd(t *testing.T) {
	b := newBench(t)
	b.turn("lazy k 1")
	b.c.close()
	if b.log.writes != 1 || b.c.phase != idle {
		t.Errorf("%d writes, phase %d", b.log.writes, b.c.phase)
	}
}

// The machine is told which leadership begins.
func TestLoadedTellsTheLeadership(t *testing.T) {
	c := newCore(coreOptions{
		metrics: &Metrics{}, logger: slog.New(slog.DiscardHandler), show: func(phase) {}, synced: func(*flight) {},
		work: func(uint64, Work) {}, keep: func(uint64, Keeper, *snapshot) {},
	}, 0, loadWatcher{newToy(), t})
	c.lead(t.Context(), time.UnixMilli(0), (&memLog{most: 1000}).tail(7))
	c.turn(time.UnixMilli(0), nil, nil)
}

type loadWatcher struct {
	*toy
	t *testing.T
}

func (m loadWatcher) Step(now time.Time, cmd Command) (Output, error) {
	if l, ok := cmd.Body.(Loaded); ok && l.LeaderEpoch != 7 {
		m.t.Errorf("the leadership of %+v, want 7", l)
	}
	return m.toy.Step(now, cmd)
}
