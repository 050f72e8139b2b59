package share

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func id(n int) DedupID { return DedupOf(nil, fmt.Append(nil, n)) }

func TestAWindowBeginsWithItsFirstRecord(t *testing.T) {
	w := NewWindow(300)
	for i, c := range []struct {
		n    int
		atMs int64
		want bool
	}{
		{1, 1000, false}, {1, 1000, true}, {1, 1299, true}, {2, 1299, false}, {1, 1300, false}, // the first window is over, repeats did not stretch it
		{1, 1599, true}, {1, 1600, false}, {2, 1250, false}, {2, 1300, true}, // an earlier time counts as it is told
	} {
		if got := w.Repeats(id(c.n), c.atMs, int64(i)); got != c.want {
			t.Errorf("id %d at %d: repeat %v, want %v", c.n, c.atMs, got, c.want)
		}
	}
}

func TestAWindowForgetsWhatIsOver(t *testing.T) {
	w := NewWindow(100)
	for i := range 10_000 {
		w.Repeats(id(i), int64(i), int64(i))
	}
	if n := w.Len(); n != 100 {
		t.Errorf("%d ids are remembered, want 100", n)
	}
	if cap(w.queue) > 1000 {
		t.Errorf("room for %d", cap(w.queue))
	}
}

func TestScopesAndIDsAreToldApart(t *testing.T) {
	if DedupOf([]byte("a"), []byte("bc")) == DedupOf([]byte("ab"), []byte("c")) {
		t.Error("a scope and an id run together")
	}
	if DedupOf(nil, []byte("x")) != DedupOf([]byte{}, []byte("x")) {
		t.Error("no scope is another than an empty one")
	}
}

// A window agrees with who remembers everything, as long as time goes forward.
func TestAWindowIsAsANaiveOne(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	w, began, first, at := NewWindow(50), map[int]int64{}, map[int]int64{}, int64(0)
	for i := range int64(20_000) {
		at += rnd.Int64N(4)
		n := rnd.IntN(60)
		b, ok := began[n]
		want := ok && at-b < 50
		if !want {
			began[n], first[n] = at, i
		}
		if got := w.Repeats(id(n), at, i); got != want {
			t.Fatalf("id %d at %d: %v, want %v", n, at, got, want)
		}
		f, repeats := w.Before(id(n), at, i)
		if repeats != want || want && f != (First{began[n], first[n]}) {
			t.Fatalf("id %d at %d repeats %+v, %v; want offset %d", n, at, f, repeats, first[n])
		}
	}
}

func TestDroppedRecordsAreGivenToNobody(t *testing.T) {
	p := New(Defaults(), 10)
	give := func() string {
		from, ok := p.Next(0)
		if !ok {
			return ""
		}
		return fmt.Sprint(p.Acquire(&Want{Member: "m", NowMs: 0, MaxRecords: 100}, from, []Batch{{First: 10, Last: 19}}, nil))
	}
	p.Drop(12)
	p.Drop(10)
	p.Drop(5) // below the start
	if p.Start() != 11 {
		t.Errorf("start %d, want 11", p.Start())
	}
	if got, want := give(), "[{11 11 1} {13 19 1}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	p.Leave(0, "m")
	p.Drop(13)
	if got, want := give(), "[{11 11 2} {13 19 2}]"; got != want {
		t.Errorf("what was given out once is dropped: got %s, want %s", got, want)
	}
	w, ok := p.Changes()
	if !ok || !slices.ContainsFunc(w.Changed, func(s Stored) bool { return s.First == 12 && s.Last == 12 && s.State == Archived }) {
		t.Errorf("stored %+v", w)
	}
}

func TestACensusHasEachRecordOnce(t *testing.T) {
	s := Defaults()
	s.DeadLetter, s.Attempts = true, 1
	p := New(s, 0)
	p.Acquire(&Want{Member: "m", MaxRecords: 100}, 0, []Batch{{First: 0, Last: 9}}, nil)
	p.s.Attempts = 5
	say := func(at int64, how AckType) {
		t.Helper()
		if err := p.Acknowledge(0, "m", []Ack{{at, at, []AckType{how}}}); err != nil {
			t.Fatal(err)
		}
	}
	say(0, Accept)
	say(2, Accept)
	say(3, Release)
	say(4, Reject)
	p.s.RetryMs = 1000
	say(5, Release)
	p.Drop(12)
	c := p.Census()
	if c.First != 1 || c.End != 13 || c.Locked != 5 || c.Back != 1 || c.Delayed != 1 || c.Dying != 1 || !slices.Equal(c.Untouched, []Range{{First: 10, Last: 11}}) {
		t.Errorf("%+v", c)
	}
}
