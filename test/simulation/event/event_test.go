package event

import (
	"fmt"
	"testing"
	"time"
)

// TestEventsHappenInTheOrderOfTheirTimes: those of one moment in the order in which
// they were asked for, what they ask for themselves behind them.
func TestEventsHappenInTheOrderOfTheirTimes(t *testing.T) {
	l := NewLoop()
	var got []string
	say := func(s string) func() { return func() { got = append(got, fmt.Sprint(l.Now(), s)) } }
	l.After(2*time.Second, say("c"))
	l.After(time.Second, func() {
		say("a")()
		l.After(0, say("b"))
	})
	l.After(time.Second, say("A"))
	l.After(time.Minute, say("late"))
	l.Run(10*time.Second, nil)
	want := "[1sa 1sA 1sb 2sc]"
	if fmt.Sprint(got) != want || l.Now() != 10*time.Second || l.Steps() != 4 {
		t.Errorf("got %v at %v after %d steps, want %s", got, l.Now(), l.Steps(), want)
	}
}

// TestALoopStopsWhenItIsTold and goes on where it was.
func TestALoopStopsWhenItIsTold(t *testing.T) {
	l := NewLoop()
	n := 0
	for range 5 {
		l.After(time.Second, func() { n++ })
	}
	l.Run(time.Hour, func() bool { return n == 3 })
	if n != 3 || l.Now() != time.Second {
		t.Fatalf("%d events until %v, want 3 until 1s", n, l.Now())
	}
	l.Run(time.Hour, nil)
	if n != 5 {
		t.Errorf("%d events in the end, want 5", n)
	}
}

// TestAHashTellsTwoTracesApart, and the tail is the last of it.
func TestAHashTellsTwoTracesApart(t *testing.T) {
	run := func(last int) *Loop {
		l := NewLoop()
		for i := range 100 {
			l.After(time.Duration(i)*time.Second, func() { l.Note("line %d", min(i, last)) })
		}
		l.Run(time.Hour, nil)
		return l
	}
	a, b, other := run(99), run(99), run(98)
	if a.Hash() != b.Hash() || a.Hash() == other.Hash() {
		t.Errorf("hashes %x, %x and of another trace %x", a.Hash(), b.Hash(), other.Hash())
	}
	tail := a.Tail()
	if len(tail) != kept || tail[kept-1] != "   99.000 line 99" || tail[0] != "   40.000 line 40" {
		t.Errorf("the tail is %q to %q, %d lines", tail[0], tail[len(tail)-1], len(tail))
	}
}

// TestStreamsDoNotShiftEachOther: each hangs on the seed and its name alone.
func TestStreamsDoNotShiftEachOther(t *testing.T) {
	a, b := Stream(7, "net"), Stream(7, "net")
	other := Stream(7, "disk")
	for range 10 {
		other.Uint64()
		if x, y := a.Uint64(), b.Uint64(); x != y {
			t.Fatalf("two streams of one name give %d and %d", x, y)
		}
	}
	if Stream(8, "net").Uint64() == Stream(7, "net").Uint64() {
		t.Error("two seeds give the same stream")
	}
	if d := Between(a, time.Second, time.Second); d != time.Second {
		t.Errorf("an empty span gives %v", d)
	}
	p := make([]byte, 9)
	if n, err := (Bytes{b}).Read(p); n != 9 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
