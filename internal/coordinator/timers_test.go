package coordinator

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// twin is a list that is sorted whenever it is asked.
type twin struct {
	list []twinTimer
	set  int
}

type twinTimer struct {
	Timer
	seq int
}

func (w *twin) put(x Timer) {
	w.list = slices.DeleteFunc(w.list, func(y twinTimer) bool { return y.Key == x.Key })
	if !x.At.IsZero() {
		w.list = append(w.list, twinTimer{x, w.set})
		w.set++
	}
}

func (w *twin) due(now time.Time) (Timer, bool) {
	slices.SortFunc(w.list, func(a, b twinTimer) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.seq, b.seq)) })
	if len(w.list) == 0 || w.list[0].At.After(now) {
		return Timer{}, false
	}
	t := w.list[0].Timer
	w.list = w.list[1:]
	return t, true
}

// TestTimersComeInTheOrderOfTheirTimes, moved, set again and taken away at
// random, as they do from a list that is sorted each time.
func TestTimersComeInTheOrderOfTheirTimes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var got timers
	var want twin
	now := time.UnixMilli(0)
	fired := 0
	for i := range 20_000 {
		x := Timer{Key: rnd.IntN(40), Body: i}
		if rnd.IntN(5) > 0 {
			x.At = now.Add(time.Duration(rnd.IntN(50)) * time.Millisecond)
		}
		got.put(x)
		want.put(x)
		if got.has(x.Key) != !x.At.IsZero() {
			t.Fatalf("step %d: timer %v: has says %v", i, x, got.has(x.Key))
		}
		if rnd.IntN(10) == 0 {
			now = now.Add(time.Duration(rnd.IntN(20)) * time.Millisecond)
		}
		for {
			a, ok := got.due(now)
			b, wantOK := want.due(now)
			if ok != wantOK || a != b {
				t.Fatalf("step %d: got %v %v, want %v %v", i, a, ok, b, wantOK)
			}
			if !ok {
				break
			}
			fired++
		}
	}
	if fired < 1000 {
		t.Errorf("only %d timers fired", fired)
	}
}

// TestRepliesLeaveInOrder from a queue that is filled and emptied in turns.
func TestRepliesLeaveInOrder(t *testing.T) {
	var q replies
	pushed, popped := int64(0), int64(0)
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		for range rnd.IntN(30) {
			q.push(reply{end: pushed})
			pushed++
		}
		committed := popped + rnd.Int64N(40) - 5
		for {
			r, ok := q.ready(committed)
			if !ok {
				break
			}
			if r.end != popped || r.end > committed {
				t.Fatalf("got the reply for %d at %d, want that for %d", r.end, committed, popped)
			}
			popped++
		}
		if q.len() != int(pushed-popped) {
			t.Fatalf("%d replies wait, want %d", q.len(), pushed-popped)
		}
		if q.len() > 0 && q.list[q.head].end <= committed {
			t.Fatalf("the reply for %d is still there at %d", q.list[q.head].end, committed)
		}
	}
}
