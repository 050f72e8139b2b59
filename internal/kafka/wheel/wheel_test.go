package wheel

import (
	"math/rand"
	"testing"
	"testing/synctest"
	"time"
)

// pass lets d go by on the bubble's clock.
func pass(d time.Duration) { <-time.After(d) }

func TestTimersFireOnceAndNeverEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New()
		r := rand.New(rand.NewSource(1))
		const n = 500
		timers := make([]Timer, n)
		fired := make([]time.Duration, n)
		want := make([]time.Duration, n)
		start := time.Now()
		for i := range timers {
			want[i] = time.Duration(r.Intn(20_000)) * time.Millisecond
			timers[i].Fire = func() {
				if fired[i] != 0 {
					t.Errorf("timer %d fired twice", i)
				}
				fired[i] = time.Since(start) + 1
			}
			w.Arm(&timers[i], want[i])
		}
		for i := 0; i < n; i += 3 {
			if !w.Cancel(&timers[i]) {
				t.Errorf("timer %d was not armed", i)
			}
		}
		pass(30 * time.Second)
		synctest.Wait()
		for i := range timers {
			if i%3 == 0 {
				if fired[i] != 0 {
					t.Errorf("timer %d fired after Cancel", i)
				}
				continue
			}
			if late := fired[i] - 1 - want[i]; late < 0 || late > 2*Tick {
				t.Errorf("timer %d of %v fired at %v", i, want[i], fired[i])
			}
		}
		if w.count != 0 || w.wakes != 0 {
			t.Errorf("%d timers left, clock set for %d", w.count, w.wakes)
		}
		w.Close()
	})
}

func TestAnEarlierTimerMovesTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New()
		order := ""
		long := Timer{Fire: func() { order += "long " }}
		short := Timer{Fire: func() { order += "short " }}
		w.Arm(&long, time.Minute)
		pass(3 * time.Second)
		w.Arm(&short, 10*time.Millisecond)
		pass(20 * time.Millisecond)
		synctest.Wait()
		if order != "short " {
			t.Fatalf("after 20 ms fired: %q", order)
		}
		if w.Cancel(&short) {
			t.Error("Cancel of a fired timer said true")
		}
		w.Arm(&short, time.Second)
		pass(2 * time.Minute)
		synctest.Wait()
		if order != "short short long " {
			t.Fatalf("fired: %q", order)
		}
		w.Close()
		w.Arm(&short, 0)
		pass(time.Second)
		if order != "short short long " {
			t.Fatal("a closed wheel fired")
		}
	})
}

func TestATimerMayArmItselfAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New()
		n := 0
		var again Timer
		again.Fire = func() {
			if n++; n < 5 {
				w.Arm(&again, 100*time.Millisecond)
			}
		}
		w.Arm(&again, 100*time.Millisecond)
		pass(time.Second)
		synctest.Wait()
		if n != 5 {
			t.Fatalf("fired %d times, want 5", n)
		}
		w.Close()
	})
}

func TestArmAndCancelAllocateNothing(t *testing.T) {
	w := New()
	defer w.Close()
	tm := Timer{Fire: func() {}}
	w.Arm(&tm, time.Hour)
	w.Cancel(&tm)
	if n := testing.AllocsPerRun(1000, func() {
		w.Arm(&tm, time.Minute)
		w.Cancel(&tm)
	}); n != 0 {
		t.Fatalf("%v allocations, want 0", n)
	}
}
