package course

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/event/cron"
)

// epoch is when the schedules of these tests begin: a full hour.
const epoch = int64(1_796_000_400_000)

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
)

func timing(t testing.TB, expression string) Timing {
	t.Helper()
	e, err := cron.Parse(expression, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Timing{Expression: e, SinceMs: epoch, Missed: All, Retry: Retry{Most: 3, MaxAgeMs: 24 * hour}, Seed: 7}
}

// slots are those of attempts, from the epoch on.
func slots(turn Turn) []int64 {
	var out []int64
	for _, a := range turn.Attempts {
		out = append(out, (a.SlotMs-epoch)/second)
	}
	return out
}

// deliver settles all attempts of a turn well.
func deliver(t Timing, turn Turn, nowMs int64) State {
	s := turn.State
	for _, a := range turn.Attempts {
		s, _ = Settle(t, s, a.SlotMs, Result{OK: true}, nowMs)
	}
	return s
}

func TestEachSlotIsRunOnceHoweverOftenItIsLookedAt(t *testing.T) {
	tm := timing(t, "rate(10 seconds)")
	var s State
	var got []int64
	for now := epoch - 5*second; now <= epoch+35*second; now += second / 2 {
		turn := Step(tm, s, now)
		got = append(got, slots(turn)...)
		if rest := Look(tm, deliver(tm, turn, now)); rest.WakeMs <= now || rest.Over {
			t.Fatalf("at %d: %+v", now-epoch, rest)
		}
		s = deliver(tm, turn, now)
	}
	if want := []int64{0, 10, 20, 30}; !slices.Equal(got, want) {
		t.Errorf("ran at %v, want %v", got, want)
	}
}

func TestItSleepsUntilTheNextSlot(t *testing.T) {
	tm := timing(t, "0 * * * *")
	turn := Step(tm, State{}, epoch)
	if got := Look(tm, deliver(tm, turn, epoch)); len(turn.Attempts) != 1 || got.WakeMs != epoch+hour {
		t.Errorf("%v, then %+v", slots(turn), got)
	}
}

func TestWhatWasMissedIsRunAsThePolicySays(t *testing.T) {
	for _, c := range []struct {
		missed  Missed
		want    []int64
		skipped int
	}{
		{All, []int64{0, 3600, 7200, 10800}, 0},
		{Last, []int64{7200, 10800}, 2},
		{None, []int64{10800}, 3},
	} {
		tm := timing(t, "0 * * * *")
		tm.Missed = c.missed
		turn := Step(tm, State{}, epoch+3*hour+30*second) // the last one is not missed
		if got := slots(turn); !slices.Equal(got, c.want) || turn.Skipped != c.skipped {
			t.Errorf("%s: %v, %d skipped; want %v, %d", c.missed, got, turn.Skipped, c.want, c.skipped)
		}
		tm.Missed = c.missed
		turn = Step(tm, State{}, epoch+3*hour+2*minute) // all are missed
		want := map[Missed][]int64{All: {0, 3600, 7200, 10800}, Last: {10800}, None: nil}[c.missed]
		if got := slots(turn); !slices.Equal(got, want) {
			t.Errorf("%s, all missed: %v, want %v", c.missed, got, want)
		}
		s := deliver(tm, turn, epoch+3*hour+2*minute)
		if again := Step(tm, s, epoch+3*hour+2*minute); len(again.Attempts) > 0 || again.Changed {
			t.Errorf("%s: a second look runs %v", c.missed, slots(again))
		}
	}
}

func TestNothingOlderThanTheMostAgeIsMadeUpFor(t *testing.T) {
	tm := timing(t, "0 * * * *")
	tm.Retry.MaxAgeMs = 2 * hour
	turn := Step(tm, State{}, epoch+10*hour+minute/2)
	if got, want := slots(turn), []int64{9 * 3600, 10 * 3600}; !slices.Equal(got, want) || turn.Skipped != 1 {
		t.Errorf("%v, %d skipped; want %v", got, turn.Skipped, want)
	}
}

func TestWhatAccumulatedIsRunInTurnsOfBoundedSize(t *testing.T) {
	tm := timing(t, "rate(1 minute)")
	now := epoch + 10*hour
	var s State
	var got []int64
	turns := 0
	for {
		turn := Step(tm, s, now)
		if len(turn.Attempts) > MostWaiting {
			t.Fatalf("%d at once", len(turn.Attempts))
		}
		got = append(got, slots(turn)...)
		s = deliver(tm, turn, now)
		turns++
		if Look(tm, s).WakeMs > now {
			break
		}
	}
	if len(got) != 601 || !slices.IsSorted(got) || turns != 7 {
		t.Errorf("%d runs in %d turns, in order %t", len(got), turns, slices.IsSorted(got))
	}
}

func TestRunsThatFailAreTriedAgainLaterAndThenGivenUp(t *testing.T) {
	tm := timing(t, "at(2026-11-30T00:00:00)")
	now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
	var s State
	var waits []int64
	for attempt := 1; ; attempt++ {
		turn := Step(tm, s, now)
		if len(turn.Attempts) != 1 || turn.Attempts[0].Number != attempt {
			t.Fatalf("attempt %d: %+v", attempt, turn.Attempts)
		}
		if rest := Look(tm, turn.State); rest.WakeMs != 0 || rest.Over {
			t.Fatalf("while it is tried: %+v", rest)
		}
		var letter *Letter
		s, letter = Settle(tm, turn.State, turn.Attempts[0].SlotMs, Result{Why: "no"}, now)
		if letter != nil {
			if attempt != 4 || letter.Attempts != 4 || letter.Exhausted != ExhaustedAttempts || letter.Why != "no" {
				t.Errorf("given up after %d: %+v", attempt, letter)
			}
			s = Bury(s, letter.SlotMs)
			break
		}
		if early := Step(tm, s, now); len(early.Attempts) > 0 {
			t.Fatal("it is tried again at once")
		}
		next := Look(tm, s).WakeMs
		waits, now = append(waits, next-now), next
	}
	for i, w := range waits {
		if low, high := int64(800)<<i, int64(1200)<<i; w < low || w > high {
			t.Errorf("wait %d is %d ms, want %d to %d", i+1, w, low, high)
		}
	}
	if rest := Look(tm, s); !rest.Over {
		t.Errorf("at the end: %+v", rest)
	}
}

func TestWhatEndsARun(t *testing.T) {
	tm := timing(t, "at(2026-11-30T00:00:00)")
	tm.Retry = Retry{Most: 1000, MaxAgeMs: minute}
	now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
	turn := Step(tm, State{}, now)
	slot := turn.Attempts[0].SlotMs
	if s, l := Settle(tm, turn.State, slot, Result{Final: true, Why: "gone"}, now); l == nil || l.Exhausted != "" || len(Bury(s, slot).Waiting) > 0 {
		t.Errorf("a final failure: %+v, %+v", l, s)
	}
	if s, l := Settle(tm, turn.State, slot, Result{AfterMs: 50 * second}, now); l != nil || s.Waiting[0].DueMs != now+50*second {
		t.Errorf("who wants to be left alone: %+v, %+v", l, s)
	}
	if _, l := Settle(tm, turn.State, slot, Result{AfterMs: 2 * minute}, now); l == nil || l.Exhausted != ExhaustedAge {
		t.Errorf("beyond its age: %+v", l)
	}
	if s, l := Settle(tm, turn.State, slot+1, Result{}, now); l != nil || !reflect.DeepEqual(s, turn.State) {
		t.Errorf("a run that does not wait: %+v, %+v", l, s)
	}
	long := Result{Why: strings.Repeat("ä", 1000)}
	if s, _ := Settle(tm, turn.State, slot, long, now); len(s.Waiting[0].Why) > mostWhy {
		t.Errorf("a reason of %d bytes is kept", len(s.Waiting[0].Why))
	}
}

// A letter that cannot be written waits, over loads too, for as long as a run is
// tried at most; the run is not tried meanwhile.
func TestTheLetterOfARunThatWasGivenUpIsTriedAgain(t *testing.T) {
	tm := timing(t, "at(2026-11-30T00:00:00)")
	tm.Retry.MaxAgeMs = minute
	now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
	turn := Step(tm, State{}, now)
	slot := turn.Attempts[0].SlotMs
	s, first := Settle(tm, turn.State, slot, Result{Final: true, Why: "gone"}, now)
	for last := false; !last; {
		if rest := Look(tm, s); rest.Over || rest.WakeMs <= now {
			t.Fatalf("while it waits: %+v", rest)
		}
		now = Look(tm, s).WakeMs
		if s, l := Settle(tm, s, slot, Result{Why: "late"}, now); l != nil || s.Waiting[0].Why != "gone" {
			t.Fatalf("it is given up once more: %+v", l)
		}
		turn = Step(tm, s.Resume(), now)
		s = turn.State
		if len(turn.Attempts) > 0 || len(turn.Letters) != 1 || !turn.Changed {
			t.Fatalf("at %d: %+v", now, turn)
		}
		l := turn.Letters[0]
		if last = l.Last; last {
			l.Last = false
		}
		if l != *first || last != (now-slot >= minute) {
			t.Fatalf("at %d: %+v, the first was %+v", now-slot, turn.Letters[0], *first)
		}
	}
	if rest := Look(tm, Bury(s, slot)); !rest.Over {
		t.Errorf("at the end: %+v", rest)
	}
}

// Letters that wait leave room for runs.
func TestLettersThatWaitAreBounded(t *testing.T) {
	tm := timing(t, "rate(1 second)")
	var s State
	dropped := 0
	now := epoch
	for range 3 * MostWaiting {
		turn := Step(tm, s, now)
		s = turn.State
		if len(turn.Attempts) == 0 {
			t.Fatalf("after %d seconds no run begins; %d wait", (now-epoch)/second, len(s.Waiting))
		}
		for _, a := range turn.Attempts {
			var l *Letter
			if s, l = Settle(tm, s, a.SlotMs, Result{Final: true}, now); l.Last {
				s = Bury(s, l.SlotMs)
				dropped++
			}
		}
		now += second
	}
	if len(s.Waiting) != mostDead || dropped != 3*MostWaiting-mostDead {
		t.Errorf("%d wait and %d were dropped", len(s.Waiting), dropped)
	}
}

func TestAnAttemptThatWasUnderWayIsMadeAgainByAnotherProcess(t *testing.T) {
	tm := timing(t, "rate(1 hour)")
	turn := Step(tm, State{ID: "x"}, epoch)
	b, err := json.Marshal(turn.State)
	if err != nil {
		t.Fatal(err)
	}
	var s State
	if err := json.Unmarshal(b, &s); err != nil || !reflect.DeepEqual(s, turn.State) {
		t.Fatalf("%s: %v", b, err)
	}
	if same := Step(tm, s, epoch+second); len(same.Attempts) > 0 {
		t.Error("the same process begins twice")
	}
	again := Step(tm, s.Resume(), epoch+second)
	if len(again.Attempts) != 1 || again.Attempts[0] != (Attempt{SlotMs: epoch, Number: 2}) {
		t.Errorf("after another start: %+v", again.Attempts)
	}
}

func TestAFullScheduleWaitsForRoom(t *testing.T) {
	tm := timing(t, "rate(1 second)")
	now := epoch + 200*second
	turn := Step(tm, State{}, now)
	if len(turn.Attempts) != MostWaiting || Look(tm, turn.State).WakeMs != 0 {
		t.Fatalf("%d attempts, wake at %d", len(turn.Attempts), Look(tm, turn.State).WakeMs)
	}
	s, _ := Settle(tm, turn.State, turn.Attempts[5].SlotMs, Result{OK: true}, now)
	if next := Step(tm, s, now); len(next.Attempts) != 1 || next.Attempts[0].SlotMs != epoch+MostWaiting*second {
		t.Errorf("with room for one: %v", slots(next))
	}
}

func TestBoundsOfASchedule(t *testing.T) {
	tm := timing(t, "rate(1 hour)")
	tm.StartMs, tm.EndMs = epoch+90*minute, epoch+4*hour
	var got []int64
	s := State{}
	for now := epoch; now <= epoch+6*hour; now += 10 * minute {
		turn := Step(tm, s, now)
		got = append(got, slots(turn)...)
		s = deliver(tm, turn, now)
	}
	if want := []int64{5400, 9000, 12600}; !slices.Equal(got, want) {
		t.Errorf("ran at %v, want %v", got, want)
	}
	if !Look(tm, s).Over {
		t.Error("it is not over")
	}
	tm.Paused = true
	if turn := Step(tm, State{}, epoch+3*hour); turn.Changed || len(turn.Attempts) > 0 {
		t.Errorf("while it is paused: %+v", turn)
	}
	if rest := Look(tm, State{}); rest != (Rest{}) {
		t.Errorf("while it is paused: %+v", rest)
	}
}

func TestWhatWasBeforeTheTimingIsNoRun(t *testing.T) {
	tm := timing(t, "*/10 * * * *")
	tm.SinceMs = epoch + 25*minute
	if got := slots(Step(tm, State{LastMs: epoch}, epoch+31*minute)); !slices.Equal(got, []int64{1800}) {
		t.Errorf("ran at %v", got)
	}
	if next, ok := After(tm, 0); !ok || next != epoch+30*minute {
		t.Errorf("the first is %d, %t", next-epoch, ok)
	}
	once := timing(t, "at(2026-11-30T00:00:00)")
	once.SinceMs = time.Date(2026, 11, 30, 0, 0, 20, 0, time.UTC).UnixMilli()
	if turn := Step(once, State{}, once.SinceMs); len(turn.Attempts) != 1 {
		t.Error("at() that was told a moment late is not run")
	}
}

func TestAWindowSpreadsRunsBehindTheirTimes(t *testing.T) {
	tm := timing(t, "rate(1 hour)")
	tm.WindowMs = 10 * minute
	seen := map[int64]bool{}
	s := State{}
	for i := range int64(24) {
		slot := epoch + i*hour
		wake := Look(tm, s).WakeMs
		if wake < slot || wake >= slot+tm.WindowMs {
			t.Fatalf("slot %d: it wakes %d ms behind it", i, wake-slot)
		}
		seen[wake-slot] = true
		if early := Step(tm, s, wake-1); len(early.Attempts) > 0 {
			t.Fatalf("slot %d: it runs too early", i)
		}
		turn := Step(tm, s, wake)
		if len(turn.Attempts) != 1 || turn.Attempts[0].SlotMs != slot {
			t.Fatalf("slot %d: %v", i, slots(turn))
		}
		s = deliver(tm, turn, wake)
	}
	if len(seen) < 20 {
		t.Errorf("only %d different moments", len(seen))
	}
}

// Whatever happens in whatever order, with loads in between: every slot is
// delivered or given up, once, and in the end nothing waits.
func TestEverySlotEndsOnce(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		tm := timing(t, []string{"rate(7 seconds)", "*/5 * * * * *", "* * * * *"}[rng.IntN(3)])
		tm.Retry.Most = rng.IntN(4)
		tm.Seed = seed
		tm.EndMs = epoch + 20*minute
		ends := map[int64]int{}
		var flying []Attempt
		s := State{ID: "x"}
		now := epoch
		bury := func(l Letter) { // if its letter can be written
			if l.Last || rng.IntN(2) == 0 {
				s = Bury(s, l.SlotMs)
				ends[l.SlotMs]++
			}
		}
		settle := func(i int) {
			a := flying[i]
			flying = slices.Delete(flying, i, i+1)
			r := Result{OK: rng.IntN(3) > 0, Final: rng.IntN(9) == 0}
			var letter *Letter
			s, letter = Settle(tm, s, a.SlotMs, r, now)
			if r.OK {
				ends[a.SlotMs]++
			}
			if letter != nil {
				bury(*letter)
			}
		}
		for step := 0; ; step++ {
			turn := Step(tm, s, now)
			s = turn.State
			for _, l := range turn.Letters {
				bury(l)
			}
			flying = append(flying, turn.Attempts...)
			for len(flying) > 0 && (rng.IntN(2) == 0 || len(flying) > 20) {
				settle(rng.IntN(len(flying)))
			}
			if rng.IntN(20) == 0 { // another process; what was under way is made again
				s, flying = s.Resume(), nil
			}
			if Look(tm, s).Over {
				break
			}
			now += rng.Int64N(90 * second)
			if step > 100_000 {
				t.Fatalf("seed %d: no end; %+v", seed, s)
			}
		}
		want := 0
		for at := epoch - 1; ; want++ {
			next, ok := After(tm, at)
			if !ok {
				break
			}
			if at = next; ends[next] != 1 {
				t.Fatalf("seed %d: slot %d ended %d times", seed, next-epoch, ends[next])
			}
		}
		if len(ends) != want {
			t.Fatalf("seed %d: %d slots ended, want %d", seed, len(ends), want)
		}
	}
}
