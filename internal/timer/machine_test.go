package timer

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/wire"
)

func noErrors(t *testing.T, got any) {
	t.Helper()
	for i, err := range got.([]error) {
		if err != nil {
			t.Fatalf("timer %d: %v", i, err)
		}
	}
}

func TestATimerIsAppendedAtItsTimeAndNotBefore(t *testing.T) {
	w := newWorld(t)
	noErrors(t, w.must(Set{[]Timer{w.at("a", "other", time.Minute, "1"), w.at("b", "other", time.Second, "2")}}))
	w.pass(time.Second - time.Millisecond)
	w.settle()
	if got := w.values("other"); len(got) != 0 {
		t.Fatalf("got %q before the time", got)
	}
	w.pass(time.Millisecond)
	w.settle()
	if got := w.values("other"); !slices.Equal(got, []string{"2"}) {
		t.Fatalf("got %q after a second", got)
	}
	w.pass(time.Hour)
	w.settle()
	if got := w.values("other"); !slices.Equal(got, []string{"2", "1"}) {
		t.Fatalf("got %q after an hour", got)
	}
	if c := w.must(Count{}).(Counted); c != (Counted{}) {
		t.Errorf("there are still %+v", c)
	}
}

func TestTimersOfOneTimeGoInTheOrderInWhichTheyWereSet(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range 50 {
		v := fmt.Sprint(i)
		noErrors(t, w.must(Set{[]Timer{w.at("k"+v, "other", time.Minute, v)}}))
		want = append(want, v)
	}
	w.pass(time.Minute)
	w.settle()
	if got := w.values("other"); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestTheSameKeyReplacesATimerAndCancelTakesItAway(t *testing.T) {
	w := newWorld(t)
	noErrors(t, w.must(Set{[]Timer{w.at("a", "other", time.Minute, "old"), w.at("b", "other", time.Minute, "away")}}))
	noErrors(t, w.must(Set{[]Timer{w.at("a", "orders", 2*time.Minute, "new")}}))
	errs := w.must(Cancel{[]string{"b", "never"}}).([]error)
	if errs[0] != nil || !errors.Is(errs[1], ErrGone) {
		t.Errorf("cancel answers %v", errs)
	}
	w.pass(time.Hour)
	w.settle()
	if a, b := w.values("other"), w.values("orders"); len(a) != 0 || !slices.Equal(b, []string{"new"}) {
		t.Errorf("got %q and %q", a, b)
	}
	if errs := w.must(Cancel{[]string{"a"}}).([]error); !errors.Is(errs[0], ErrGone) {
		t.Errorf("cancel of one that is appended: %v", errs)
	}
}

func TestFindTellsWhereATimerLies(t *testing.T) {
	w := newWorld(t)
	noErrors(t, w.must(Set{[]Timer{w.at("x", "other", time.Minute, "1"), w.at("a", "other", time.Minute, "2")}}))
	f := w.must(Find{"a"}).(Found)
	if key, v, ok := w.disk.at(f.Offset); !ok || key != "a" || string(v.Value) != "2" {
		t.Errorf("at %d lies %q, %+v", f.Offset, key, v)
	}
	if f := w.must(Find{"b"}).(Found); f.Offset != -1 {
		t.Errorf("one that is not there is at %d", f.Offset)
	}
}

func TestASetOfAKeyThatFliesWaitsForTheLanding(t *testing.T) {
	w := newWorld(t)
	noErrors(t, w.must(Set{[]Timer{w.at("a", "other", time.Second, "1")}}))
	w.pass(time.Second)
	for len(w.works) == 0 { // until it flies
		if len(w.later) > 0 {
			w.later[0]()
			w.later = nil
		}
		w.tail.sync()
		w.step()
	}
	var said []any
	w.do(Set{[]Timer{w.at("a", "other", time.Second, "2")}}, func(b any, err error) { said = append(said, b, err) })
	w.do(Cancel{[]string{"a"}}, func(b any, err error) {
		if errs := b.([]error); err != nil || !errors.Is(errs[0], ErrGone) {
			t.Errorf("cancel of one that flies: %v, %v", b, err)
		}
	})
	w.tail.sync()
	w.step()
	if len(said) != 0 {
		t.Fatalf("answered %v while it flies", said)
	}
	w.settle()
	if len(said) != 2 || said[1] != nil {
		t.Fatalf("answered %v after it landed", said)
	}
	w.pass(time.Second)
	w.settle()
	if got := w.values("other"); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("got %q", got)
	}
}

func TestWhatCannotBeSetIsRefusedAloneAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	big := w.at("big", "small", 0, string(make([]byte, 400)))
	p7, p2 := w.at("p7", "orders", time.Hour, ""), w.at("p-2", "orders", time.Hour, "")
	p7.Partition, p2.Partition = 7, -2
	errs := w.must(Set{[]Timer{
		w.at("", "orders", 0, ""), w.at(string(make([]byte, MaxKey+1)), "orders", 0, ""), w.at("n", "", 0, ""),
		w.at("u", "unknown", 0, ""), p7, p2, big, w.at("good", "orders", time.Hour, ""),
	}}).([]error)
	want := []wire.Code{wire.InvalidRequest, wire.InvalidRequest, wire.InvalidRequest, wire.UnknownTopicOrPartition,
		wire.UnknownTopicOrPartition, wire.InvalidRequest, wire.MessageTooLarge, wire.None}
	for i, err := range errs {
		if wire.CodeOf(err) != want[i] {
			t.Errorf("timer %d: %v, want %v", i, err, want[i])
		}
	}
	if c := w.must(Count{}).(Counted); c.Waiting != 1 || c.NextMs == 0 {
		t.Errorf("there are %+v", c)
	}
}

func TestALineIsTakenUpOnceHoweverOftenItIsSaid(t *testing.T) {
	w := newWorld(t)
	if at := w.must(Line{"L-0"}).(int64); at != -1 {
		t.Errorf("a new line is at %d", at)
	}
	first := TakeUp{"L-0", -1, 5, []Timer{w.at("line/L-0/3", "other", 0, "3")}}
	w.must(first)
	w.must(TakeUp{"L-0", 5, 6, []Timer{w.at("line/L-0/5", "other", 0, "5")}})
	var again error
	w.do(first, func(_ any, err error) { again = err })
	w.settle()
	if !errors.Is(again, wire.OffsetOutOfRange) {
		t.Errorf("again: %v", again)
	}
	w.crash(func() bool { return false })
	w.settle()
	if at := w.must(Line{"L-0"}).(int64); at != 6 {
		t.Errorf("the line is at %d after a crash", at)
	}
	if got := w.values("other"); !slices.Equal(got, []string{"3", "5"}) {
		t.Errorf("got %q", got)
	}
}

func TestALineWithATimerThatCannotBeSetIsNotTakenUp(t *testing.T) {
	w := newWorld(t)
	var got error
	w.do(TakeUp{"L-0", -1, 5, []Timer{w.at("a", "other", 0, ""), w.at("b", "unknown", 0, "")}}, func(_ any, err error) { got = err })
	w.settle()
	if wire.CodeOf(got) != wire.UnknownTopicOrPartition || w.must(Line{"L-0"}).(int64) != -1 || len(w.values("other")) != 0 {
		t.Errorf("%v; the line is at %d, %q", got, w.must(Line{"L-0"}), w.values("other"))
	}
}

// A target that cannot be appended to holds up nobody else.
func TestADeadTargetHoldsUpItsOwnTimersAlone(t *testing.T) {
	w := newWorld(t)
	dead := true
	w.fails = func(f Flight) error {
		if dead && f.Topic == "orders" {
			return wire.NotLeaderOrFollower
		}
		return nil
	}
	for i := range 20 {
		w.do(Set{[]Timer{w.at(fmt.Sprint("o", i), "orders", 0, fmt.Sprint(i)), w.at(fmt.Sprint("x", i), "other", 0, fmt.Sprint(i))}}, func(body any, err error) {
			if err != nil {
				t.Error(err)
			}
			noErrors(t, body)
		})
	}
	for range 200 { // the dead one is tried again and again
		for len(w.later) > 0 {
			do := w.later[0]
			w.later = w.later[1:]
			do()
		}
		if len(w.works) > 0 {
			w.land(0, true)
		}
		w.tail.sync()
		w.pass(50 * time.Millisecond)
	}
	if got := len(w.values("other")); got != 20 {
		t.Errorf("%d of 20 of the others are there", got)
	}
	dead = false
	w.pass(time.Second)
	w.settle()
	if got := len(w.values("orders")); got != 20 {
		t.Errorf("%d of 20 are there once it lives again", got)
	}
}

func TestARefusedBatchGoesOneByOneAndWhatIsRefusedThenIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.fails = func(f Flight) error {
		for _, offset := range f.Offsets {
			if _, v, ok := w.disk.at(offset); ok && string(v.Value) == "bad" {
				return wire.MessageTooLarge
			}
		}
		return nil
	}
	noErrors(t, w.must(Set{[]Timer{
		w.at("a", "other", time.Second, "1"), w.at("b", "other", time.Second, "bad"), w.at("c", "other", time.Second, "3"),
	}}))
	w.pass(time.Second)
	w.settle()
	if got := w.values("other"); !slices.Equal(got, []string{"1", "3"}) || !slices.Equal(w.gone, []string{"bad"}) {
		t.Errorf("got %q, given up %q", got, w.gone)
	}
	if c := w.must(Count{}).(Counted); c.Waiting != 0 {
		t.Errorf("there are still %+v", c)
	}
}

func TestTimersOfADeletedTopicAreGivenUpAfterAWhile(t *testing.T) {
	w := newWorld(t)
	noErrors(t, w.must(Set{[]Timer{w.at("a", "other", time.Second, "1"), w.at("b", "orders", time.Second, "2")}}))
	delete(w.topics, "other")
	w.pass(time.Second)
	w.settle()
	if !slices.Equal(w.gone, []string{"1"}) || !slices.Equal(w.values("orders"), []string{"2"}) {
		t.Errorf("given up %q, got %q", w.gone, w.values("orders"))
	}
	if waited := w.now.Sub(time.UnixMilli(1_000_000)); waited < absentFor {
		t.Errorf("it was given up after %v, want %v", waited, absentFor)
	}
}

// A partition that lost what it had (an unclean election) may know another sequence.
func TestATargetThatKnowsAnotherSequenceIsSentUnderAnotherID(t *testing.T) {
	w := newWorld(t)
	noErrors(t, w.must(Set{[]Timer{w.at("a", "other", 0, "1")}}))
	w.parts[spot{"other", 0}].lastSeq = 77
	w.parts[spot{"other", 0}].batch = nil
	noErrors(t, w.must(Set{[]Timer{w.at("b", "other", 0, "2")}}))
	noErrors(t, w.must(Set{[]Timer{w.at("c", "other", 0, "3")}}))
	if got := w.values("other"); !slices.Equal(got, []string{"1", "2", "3"}) || w.nextID != 2 {
		t.Errorf("got %q, %d producer ids", got, w.nextID)
	}
}

func TestAnOldDecisionThatTheTopicDoesNotTakeIsDatedAnew(t *testing.T) {
	w := newWorld(t)
	noErrors(t, w.must(Set{[]Timer{w.at("a", "other", 0, "0"), w.at("b", "other", time.Second, "1")}}))
	oldest := time.Duration(0)
	dead := true
	w.fails = func(f Flight) error {
		switch {
		case dead:
			return wire.NotLeaderOrFollower
		case w.wall.UnixMilli()-f.TimeMs > 5000:
			oldest = w.wall.Sub(time.UnixMilli(f.TimeMs))
			return wire.InvalidTimestamp
		}
		return nil
	}
	w.pass(time.Second)
	for range 20 {
		w.tail.sync()
		if len(w.works) > 0 {
			w.land(0, true)
		}
		w.pass(time.Second)
	}
	dead = false
	w.settle()
	if got := w.values("other"); !slices.Equal(got, []string{"0", "1"}) || oldest == 0 {
		t.Errorf("got %q, the oldest was %v", got, oldest)
	}
}

func TestSettleIsAnsweredWhenAllThatIsDueHasLanded(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		noErrors(t, w.must(Set{[]Timer{w.at(fmt.Sprint(i), "orders", time.Duration(i)*time.Hour+time.Minute, fmt.Sprint(i))}}))
	}
	w.wall = w.wall.Add(10 * time.Hour) // the domain clock alone is moved
	done := -1
	w.do(Settle{}, func(_ any, err error) {
		if err != nil {
			t.Error(err)
		}
		done = len(w.values("orders"))
	})
	w.settle()
	if done != 10 {
		t.Errorf("answered with %d of 10 there", done)
	}
	w.wall = w.wall.Add(-5 * time.Hour)
	w.must(Settle{})
	if got := len(w.values("orders")); got != 10 {
		t.Errorf("%d are there after the clock went back", got)
	}
}

func TestSettleTellsOfATargetThatCannotBeAppendedTo(t *testing.T) {
	w := newWorld(t)
	w.fails = func(Flight) error { return wire.NotEnoughReplicas }
	noErrors(t, w.must(Set{[]Timer{w.at("a", "orders", time.Hour, "1")}}))
	w.wall = w.wall.Add(2 * time.Hour)
	var got error
	began := w.now
	w.do(Settle{}, func(_ any, err error) { got = err })
	for range 100 {
		w.tail.sync()
		for len(w.later) > 0 {
			do := w.later[0]
			w.later = w.later[1:]
			do()
		}
		if len(w.works) > 0 {
			w.land(0, true)
		} else if got == nil && w.retries() && !w.next.IsZero() {
			w.now = w.next
		}
		w.step()
	}
	if took := w.now.Sub(began); wire.CodeOf(got) != wire.NotEnoughReplicas || took > 2*time.Second {
		t.Errorf("settle answers %v after %v", got, took)
	}
}

// As after a start, when the coordinator may be there before the partition.
func TestSettleWaitsForAPartitionThatIsOpenedOnlyNow(t *testing.T) {
	w := newWorld(t)
	noErrors(t, w.must(Set{[]Timer{w.at("a", "other", time.Hour, "1")}}))
	w.wall = w.wall.Add(2 * time.Hour)
	refusals := 0
	w.fails = func(Flight) error {
		if refusals++; refusals < triesToTell {
			return wire.NotLeaderOrFollower
		}
		return nil
	}
	w.must(Settle{})
	if got := w.values("other"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("it is answered with %q there", got)
	}
}

// Too few replicas: nothing is decided, and all goes on when there are enough.
func TestADecisionThatTheLogRefusesIsMadeLater(t *testing.T) {
	w := newWorld(t)
	noErrors(t, w.must(Set{[]Timer{w.at("a", "other", time.Second, "1")}}))
	w.tail.refuses = wire.NotEnoughReplicas
	w.pass(time.Second)
	for range 5 {
		for len(w.later) > 0 {
			w.later[0]()
			w.later = w.later[1:]
		}
		w.tail.sync()
		w.pass(time.Second)
	}
	if got := w.values("other"); len(got) != 0 {
		t.Fatalf("got %q", got)
	}
	w.tail.refuses = nil
	w.pass(time.Second)
	w.settle()
	if got := w.values("other"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("got %q", got)
	}
}

// What is due waits for no timer that is set at the same moment.
func TestASetPutsOffNoLookAtWhatIsDue(t *testing.T) {
	for _, first := range []any{Settle{}, coordinator.Loaded{}} {
		w := newWorld(t)
		looks := map[any]time.Time{}
		for _, body := range []any{first, Set{[]Timer{w.at("later", "other", time.Hour, "v")}}} {
			out, err := w.m.Step(w.now, coordinator.Command{Wall: w.wall, Body: body})
			if err != nil {
				t.Fatal(err)
			}
			if out.Accepted != nil {
				out.Accepted()
			}
			for _, x := range out.Timers { // the last one of a key counts
				looks[x.Key] = x.At
			}
		}
		if at := looks[gatherKey{}]; !at.Equal(w.now) {
			t.Errorf("%T and then a Set: the heap is looked at %v later, want at once", first, at.Sub(w.now))
		}
	}
}

func TestSettleIsAnsweredAtOnceBesideASet(t *testing.T) {
	w := newWorld(t)
	answered := false
	w.shard.Do(t.Context(), Settle{}, func(any, error) { answered = true })
	w.shard.Do(t.Context(), Set{[]Timer{w.at("later", "other", time.Hour, "v")}}, func(any, error) {})
	w.settle()
	if !answered {
		t.Error("nothing is due, and who waits for that is not answered")
	}
}
