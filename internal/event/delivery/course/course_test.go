package course_test

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"ottla/internal/event/delivery/course"
	"ottla/internal/event/plan"
)

// story is a lane whose payloads are all in memory, with what became of it as text.
type story struct {
	*testing.T
	*course.Lane
	lim   course.Limits
	nowMs int64
	calls []course.Call
}

func tell(t *testing.T, lim course.Limits, offsets ...int64) *story {
	s := &story{T: t, Lane: course.NewLane(), lim: lim, nowMs: 1_000_000_000}
	s.put(offsets...)
	return s
}

func (s *story) put(offsets ...int64) {
	for _, o := range offsets {
		s.Add(course.Item{Offset: o, PutMs: s.nowMs, Loaded: true, Group: -1})
	}
}

// step begins what can be, and tells it: the calls, then what was given up.
func (s *story) step() string {
	calls, letters := s.Step(s.lim, s.nowMs, 100)
	s.calls = append(s.calls, calls...)
	var out []string
	for _, c := range calls {
		text := strings.Trim(strings.ReplaceAll(fmt.Sprint(c.Offsets), " ", "+"), "[]")
		if c.Probe {
			text += "?"
		}
		out = append(out, text)
	}
	for _, l := range letters {
		out = append(out, fmt.Sprintf("%d:%s:%d:%s", l.Offset, l.Code, l.Attempts, l.Exhausted))
	}
	return strings.Join(out, " ")
}

// end ends the oldest call.
func (s *story) end(r course.Result) {
	c := s.calls[0]
	s.calls = s.calls[1:]
	s.Ended(c, r, s.lim, s.nowMs)
}

func (s *story) want(what, got, want string) {
	s.Helper()
	if got != want {
		s.Errorf("%s: %q, want %q", what, got, want)
	}
}

var (
	ok      = course.Result{OK: true}
	fails   = course.Result{Code: "HTTP_500", Why: "why"}
	refuses = course.Result{Code: "HTTP_400", Final: true}
	silent  = course.Result{Code: "TIMEOUT", Timeout: true}
)

func waits(ms ...int64) plan.Retry { return plan.Retry{Most: len(ms), WaitsMs: ms} }

func TestConcurrencyBoundsCallsAndRefusalsAreFinal(t *testing.T) {
	s := tell(t, course.Limits{Concurrency: 2, Retry: waits(100)}, 1, 2, 3)
	s.want("at first", s.step(), "1 2")
	s.want("nothing more", s.step(), "")
	s.end(ok)
	s.want("one is over", s.step(), "3")
	s.end(refuses)
	s.end(ok)
	s.want("one is refused", s.step(), "2:HTTP_400:1:")
	if !s.Empty() {
		t.Errorf("left: %+v", s.Items)
	}
}

func TestWaitsBetweenAttempts(t *testing.T) {
	s := tell(t, course.Limits{Retry: waits(100, 5000)}, 1)
	for _, wait := range []int64{100, 5000} {
		s.want("an attempt", s.step(), "1")
		s.end(fails)
		s.want("it waits", s.step(), "")
		if at := s.Look(s.lim, s.nowMs); at != s.nowMs+wait {
			t.Errorf("it is looked at in %d ms, want %d", at-s.nowMs, wait)
		}
		s.nowMs += wait - 1
		s.want("too early", s.step(), "")
		s.nowMs++
	}
	s.want("the last attempt", s.step(), "1")
	s.end(fails)
	s.want("it is given up", s.step(), "1:HTTP_500:3:MaximumRetryAttempts")
}

func TestEventBridgesAttemptsFitIntoADay(t *testing.T) {
	s := tell(t, course.Limits{Retry: course.EventBridge(), Seed: 7}, 1)
	begun, n := s.nowMs, 0
	for ; n < 1000; n++ {
		got := s.step()
		if strings.Contains(got, ":") {
			s.want("the end", got, "1:HTTP_500:186:MaximumRetryAttempts")
			break
		}
		if len(s.calls) > 0 {
			s.end(fails)
			s.Breaker = course.Breaker{} // of that is another story
			s.step2(t)
			continue
		}
		s.nowMs = s.Look(s.lim, s.nowMs)
	}
	if h := float64(s.nowMs-begun) / 3600_000; h < 18 || h > 24 {
		t.Errorf("185 times again took %.1f h", h)
	}
}

// step2 lets time pass until the next attempt, where there is one.
func (s *story) step2(t *testing.T) {
	t.Helper()
	if len(s.Items) == 1 && s.Items[0].Spent == "" {
		s.nowMs = max(s.nowMs, s.Items[0].DueMs)
	}
}

func TestAgeEndsWhatWasNeverTried(t *testing.T) {
	s := tell(t, course.Limits{Concurrency: 1, Retry: plan.Retry{Most: -1, MaxAgeMs: 5000}}, 1, 2)
	s.want("one", s.step(), "1")
	s.nowMs += 5001
	s.want("the other is too old", s.step(), "2:NO_RESPONSE:0:MaximumEventAgeInSeconds")
}

func TestARetryHoldsItsKeyOnly(t *testing.T) {
	s := tell(t, course.Limits{Ordered: true, Retry: waits(1000)})
	for i, key := range []uint64{5, 5, 9, 0, 5, 0} {
		s.Add(course.Item{Offset: int64(i), Key: key, PutMs: s.nowMs, Loaded: true, Group: -1})
	}
	s.want("the first of each key, and those without", s.step(), "0 2 3 5")
	s.end(fails)
	s.end(ok)
	s.want("key 5 waits", s.step(), "")
	s.nowMs += 1000
	s.want("again", s.step(), "0")
	s.end(ok) // 3
	s.end(ok) // 5
	s.end(ok) // 0
	s.want("the next of its key", s.step(), "1")
}

func TestRateIsATokenBucket(t *testing.T) {
	s := tell(t, course.Limits{Rate: 2, Concurrency: 100}, 1, 2, 3, 4, 5)
	s.want("a second's worth", s.step(), "1 2")
	if at := s.Look(s.lim, s.nowMs); at != s.nowMs+501 {
		t.Errorf("the next in %d ms", at-s.nowMs)
	}
	s.nowMs += 501
	s.want("one more", s.step(), "3")
	s.nowMs -= 3600_000 // a clock that goes back gives nothing, and takes nothing
	s.want("none", s.step(), "")
	s.nowMs += 500
	s.want("the next", s.step(), "4")
}

func TestTheBreakerOpensAndOneCallProbes(t *testing.T) {
	for what, c := range map[string]struct {
		r course.Result
		n int
	}{"failures": {fails, 10}, "no answer in time": {silent, 5}} {
		s := tell(t, course.Limits{Concurrency: 1, Retry: plan.Retry{Most: -1, WaitsMs: []int64{1}}}, 1, 2, 3)
		for i := range c.n {
			if s.step(); len(s.calls) == 0 {
				t.Fatalf("%s: no call %d", what, i)
			}
			s.end(c.r)
			s.nowMs++
		}
		s.want(what, s.step(), "")
		until := s.Breaker.UntilMs
		if until == 0 || s.Look(s.lim, s.nowMs) != until {
			t.Fatalf("%s: the breaker is %+v, looked at %d", what, s.Breaker, s.Look(s.lim, s.nowMs))
		}
		s.lim.Concurrency = 3
		s.nowMs = until
		if got := s.step(); !strings.HasSuffix(got, "?") || strings.Contains(got, " ") {
			t.Errorf("%s: %q probe", what, got)
		}
		s.end(c.r)
		s.nowMs++
		s.want("it stays open", s.step(), "")
		if s.Breaker.UntilMs <= until+8000 {
			t.Errorf("it stays open for %d ms after %d", s.Breaker.UntilMs-s.nowMs, until)
		}
		s.nowMs = s.Breaker.UntilMs
		s.step()
		s.end(ok)
		if got := s.step(); len(strings.Fields(got)) != 2 || !s.Breaker.Calm() {
			t.Errorf("%s: after a probe that was taken: %q, %+v", what, got, s.Breaker)
		}
	}
}

func TestWhatIsRefusedForGoodOpensNoBreaker(t *testing.T) {
	s := tell(t, course.Limits{Concurrency: 1})
	for i := range int64(50) {
		s.put(i)
		s.step()
		s.end(refuses)
	}
	if !s.Breaker.Calm() {
		t.Errorf("the breaker is %+v", s.Breaker)
	}
}

func TestRetryAfterHoldsTheLane(t *testing.T) {
	s := tell(t, course.Limits{Concurrency: 1, Retry: waits(10, 10)}, 1, 2)
	s.step()
	s.end(course.Result{Code: "HTTP_429", AfterMs: 60_000})
	s.want("held", s.step(), "")
	if at := s.Look(s.lim, s.nowMs); at != s.nowMs+60_000 {
		t.Errorf("looked at in %d ms", at-s.nowMs)
	}
	s.nowMs += 60_000
	s.want("again", s.step(), "1")
}

func TestADisabledTargetGivesEverythingUp(t *testing.T) {
	s := tell(t, course.Limits{Disabled: true, Retry: waits(10)}, 1, 2)
	s.want("disabled", s.step(), "1:TARGET_DISABLED:0: 2:TARGET_DISABLED:0:")
}

func TestABatchWaitsForOthersAndIsHalvedUntilOneIsToBlame(t *testing.T) {
	s := tell(t, course.Limits{Retry: waits(100), Batch: plan.Batch{Size: 4, WindowMs: 500, Bisect: true}}, 1, 2)
	s.want("too few", s.step(), "")
	if at := s.Look(s.lim, s.nowMs); at != s.nowMs+500 {
		t.Errorf("looked at in %d ms", at-s.nowMs)
	}
	s.put(3, 4)
	s.want("enough", s.step(), "1+2+3+4")
	s.end(fails)
	s.nowMs += 100
	s.want("halves", s.step(), "1+2 3+4")
	s.end(ok)
	s.end(fails)
	s.nowMs += 100
	s.want("singles", s.step(), "3 4")
	s.end(fails)
	s.end(ok)
	s.nowMs += 100
	s.want("the one to blame", s.step(), "3")
	s.end(fails)
	s.want("is given up after its attempts", s.step(), "3:HTTP_500:2:MaximumRetryAttempts")
	s.put(9)
	s.nowMs += 500
	s.want("the window is over", s.step(), "9")
}

func TestReportedFailuresAloneComeAgain(t *testing.T) {
	s := tell(t, course.Limits{Retry: waits(100), Batch: plan.Batch{Size: 3, ReportFailures: true}}, 1, 2, 3)
	s.want("all", s.step(), "1+2+3")
	s.end(course.Result{OK: true, Failed: []int64{1, 3}, Code: "REPORTED"})
	s.nowMs += 100
	s.want("those that failed", s.step(), "1+3")
}

func TestALaneIsRestoredWithoutPayloads(t *testing.T) {
	s := tell(t, course.Limits{Concurrency: 1, Retry: waits(100, 100)}, 1, 2)
	s.step()
	s.end(fails)
	s.nowMs += 100
	s.step() // under way again when it is cut off
	l, err := course.Restore(s.State())
	if err != nil {
		t.Fatal(err)
	}
	s.Lane, s.calls = l, nil
	s.want("nothing is in memory", s.step(), "")
	if w := s.Wants(s.lim, s.nowMs); w != 1 {
		t.Errorf("it wants %d", w)
	}
	s.Load(1, true)
	s.Load(2, true)
	s.want("again", s.step(), "1")
	s.end(fails)
	s.nowMs += 100
	s.step()
	s.end(ok)
	if len(s.calls) != 0 && s.Items[0].Attempts != 2 {
		t.Errorf("attempts are not kept: %+v", s.Items)
	}
}

// Whatever comes of calls, each delivery ends exactly once: it is taken, or a letter; no
// bound is passed on the way, and nothing is stuck.
func TestEveryDeliveryEndsOnce(t *testing.T) {
	for seed := range int64(150) {
		rng := rand.New(rand.NewSource(seed))
		if err := simulate(rng); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// world is a lane with an endpoint that is sometimes there.
type world struct {
	rng     *rand.Rand
	l       *course.Lane
	lim     course.Limits
	nowMs   int64
	flying  []course.Call
	put     map[int64]uint64 // keys
	taken   map[int64]bool
	letters map[int64]bool
}

func simulate(rng *rand.Rand) error {
	w := &world{rng: rng, l: course.NewLane(), nowMs: 1_000_000, put: map[int64]uint64{}, taken: map[int64]bool{}, letters: map[int64]bool{}}
	w.lim = course.Limits{
		Concurrency: 1 + rng.Intn(4), Ordered: rng.Intn(2) == 0, Seed: rng.Uint64(),
		Retry: plan.Retry{Most: rng.Intn(5) - 1, MaxAgeMs: []int64{0, 60_000, 3600_000}[rng.Intn(3)], Jitter: rng.Float64()},
	}
	if rng.Intn(2) == 0 {
		w.lim.Rate = 1 + 10*rng.Float64()
	}
	if rng.Intn(2) == 0 {
		w.lim.Batch = plan.Batch{Size: 1 + rng.Intn(5), WindowMs: int64(rng.Intn(1000)), Bisect: rng.Intn(2) == 0, ReportFailures: rng.Intn(2) == 0}
	}
	health := rng.Float64()
	next := int64(0)
	for step := range 100_000 {
		if step < 200 && rng.Intn(3) == 0 {
			next += 1 + int64(rng.Intn(3))
			w.put[next] = uint64(rng.Intn(4))
			w.l.Add(course.Item{Offset: next, Key: w.put[next], PutMs: w.nowMs, Loaded: rng.Intn(5) > 0, Group: -1})
		}
		if rng.Intn(50) == 0 { // it is cut off
			l, err := course.Restore(w.l.State())
			if err != nil {
				return err
			}
			w.l, w.flying = l, nil
		}
		for from := w.l.Wants(w.lim, w.nowMs); from >= 0 && rng.Intn(2) == 0; from = w.l.Wants(w.lim, w.nowMs) {
			w.l.Load(from, true)
		}
		for _, o := range w.l.Spare(w.nowMs, 1000) {
			w.l.Load(o, false)
		}
		if err := w.step(); err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
		for len(w.flying) > 0 && rng.Intn(3) > 0 {
			w.end(health)
		}
		if step > 200 && len(w.flying) == 0 && w.l.State().Packed == "" {
			return w.over()
		}
		w.pass()
	}
	return fmt.Errorf("stuck: %+v", w.l)
}

// pass lets time go on, by itself or to when the lane is to be looked at.
func (w *world) pass() {
	if w.rng.Intn(2) == 0 {
		w.nowMs += int64(w.rng.Intn(300))
	} else if at := w.l.Look(w.lim, w.nowMs); at > 0 && len(w.flying) == 0 {
		w.nowMs = at
	}
}

func (w *world) step() error {
	calls, letters := w.l.Step(w.lim, w.nowMs, 1000)
	for _, c := range calls {
		if len(c.Offsets) > max(1, w.lim.Batch.Size) {
			return fmt.Errorf("a call of %d", len(c.Offsets))
		}
		w.flying = append(w.flying, c)
	}
	if len(w.flying) > w.lim.Concurrency {
		return fmt.Errorf("%d calls at once, %d are possible", len(w.flying), w.lim.Concurrency)
	}
	busy := map[uint64]int{}
	for i, c := range w.flying {
		for _, o := range c.Offsets {
			if k := w.put[o]; w.lim.Ordered && k != 0 && busy[k] != 0 && busy[k] != i+1 {
				return fmt.Errorf("two calls of key %d at once", k)
			} else if k != 0 {
				busy[k] = i + 1
			}
		}
	}
	for _, l := range letters {
		if w.letters[l.Offset] || w.taken[l.Offset] || !l.Loaded {
			return fmt.Errorf("%d ended twice, or without its payload", l.Offset)
		}
		if w.rng.Intn(4) == 0 {
			w.l.Keep(l, w.nowMs+int64(w.rng.Intn(2000)))
			continue
		}
		w.letters[l.Offset] = true
	}
	return nil
}

// end ends a call as an endpoint does that is there so often.
func (w *world) end(health float64) {
	i := w.rng.Intn(len(w.flying))
	c := w.flying[i]
	w.flying = slices.Delete(w.flying, i, i+1)
	r := course.Result{OK: true}
	if w.rng.Float64() > health {
		r = course.Result{Code: "X", Final: w.rng.Intn(5) == 0, Timeout: w.rng.Intn(2) == 0, AfterMs: int64(w.rng.Intn(2) * w.rng.Intn(5000))}
	} else if w.lim.Batch.ReportFailures {
		for _, o := range c.Offsets {
			if w.rng.Intn(3) == 0 {
				r.Failed = append(r.Failed, o)
			}
		}
	}
	w.l.Ended(c, r, w.lim, w.nowMs)
	for _, o := range c.Offsets {
		if w.l.Find(o) == nil {
			w.taken[o] = true
		}
	}
}

func (w *world) over() error {
	for o := range w.put {
		if w.taken[o] == w.letters[o] {
			return fmt.Errorf("%d was taken: %v, given up: %v", o, w.taken[o], w.letters[o])
		}
	}
	return nil
}
