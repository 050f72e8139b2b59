package course_test

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"ottla/internal/event/delivery/course"
	"ottla/internal/event/plan"
)

// What a lane remembers, so that it need not look itself through, changes nothing: one
// that forgets it before all that it is asked says the same.
func TestALaneThatKnowsItselfDecidesAsOneThatLooks(t *testing.T) {
	for seed := range int64(60) {
		if err := sideBySide(rand.New(rand.NewSource(seed))); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// both are two lanes with the same past.
type both struct {
	rng           *rand.Rand
	lim           course.Limits
	knows, forgot *course.Lane
	nowMs         int64
	flying        []course.Call
}

func sideBySide(rng *rand.Rand) error {
	b := &both{rng: rng, knows: course.NewLane(), forgot: course.NewLane(), nowMs: 1_000_000}
	b.lim = course.Limits{Concurrency: 1 + rng.Intn(4), Ordered: rng.Intn(6) == 0, Retry: plan.Retry{Most: rng.Intn(3), MaxAgeMs: 20_000, WaitsMs: []int64{500}}}
	for step := range 600 {
		if rng.Intn(3) > 0 {
			it := course.Item{Offset: int64(step), Key: uint64(rng.Intn(3)), PutMs: b.nowMs - int64(rng.Intn(2000)), Loaded: rng.Intn(8) > 0, Group: -1}
			b.knows.Add(it)
			b.forgot.Add(it)
		}
		if err := b.step(); err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
		for len(b.flying) > 0 && rng.Intn(3) > 0 {
			r := ok
			switch rng.Intn(60) {
			case 0:
				r = fails
			case 1:
				r = course.Result{Code: "HTTP_429", AfterMs: 300}
			}
			c := b.flying[0]
			b.flying = b.flying[1:]
			b.knows.Ended(c, r, b.lim, b.nowMs)
			b.forgot.Ended(c, r, b.lim, b.nowMs)
		}
		if b.nowMs += int64(rng.Intn(100)); rng.Intn(100) == 0 {
			b.nowMs += 25_000
		}
		if rng.Intn(100) == 0 {
			b.lim.Disabled = !b.lim.Disabled
		}
	}
	return nil
}

// step asks both everything, and compares what they say.
func (b *both) step() error {
	b.forgot.Forget()
	one, gaveUp := b.knows.Step(b.lim, b.nowMs, 3)
	two, gaveUp2 := b.forgot.Step(b.lim, b.nowMs, 3)
	if got, want := fmt.Sprint(one, gaveUp), fmt.Sprint(two, gaveUp2); got != want {
		return fmt.Errorf("it begins and gives up %s, want %s", got, want)
	}
	b.flying = append(b.flying, one...)
	for _, l := range gaveUp {
		if b.rng.Intn(3) == 0 {
			b.knows.Keep(l, b.nowMs+200)
			b.forgot.Keep(l, b.nowMs+200)
		}
	}
	b.forgot.Forget()
	if got, want := b.knows.Spare(b.nowMs, 100), b.forgot.Spare(b.nowMs, 100); !slices.Equal(got, want) {
		return fmt.Errorf("it can spare %v, want %v", got, want)
	} else if b.rng.Intn(4) == 0 {
		for _, o := range got {
			b.knows.Load(o, false)
			b.forgot.Load(o, false)
		}
	}
	b.forgot.Forget()
	w := b.knows.Wants(b.lim, b.nowMs)
	if want := b.forgot.Wants(b.lim, b.nowMs); w != want {
		return fmt.Errorf("it wants %d, and should %d", w, want)
	}
	if w >= 0 && b.rng.Intn(2) == 0 {
		b.knows.Load(w, true)
		b.forgot.Load(w, true)
	}
	b.forgot.Forget()
	// It may be looked at before there is anything to be done, never later.
	if got, want := b.knows.Look(b.lim, b.nowMs), b.forgot.Look(b.lim, b.nowMs); want > 0 && (got == 0 || got > want) {
		return fmt.Errorf("it is looked at at %d, and must be at %d", got, want)
	}
	if got, want := b.knows.Empty(), b.forgot.Empty(); got != want {
		return fmt.Errorf("it is empty: %v, want %v", got, want)
	}
	return nil
}

// BenchmarkStep is a call that ended, and the next one, of a target with a backlog.
func BenchmarkStep(b *testing.B) {
	l, lim, next := course.NewLane(), course.Limits{Retry: course.EventBridge()}, int64(0)
	var calls []course.Call
	for b.Loop() {
		for !l.Full() {
			next++
			l.Add(course.Item{Offset: next, PutMs: 1000, Loaded: true, Group: -1})
		}
		if len(calls) > 0 {
			l.Ended(calls[0], ok, lim, 2000)
			calls = calls[1:]
		}
		begun, _ := l.Step(lim, 2000, 100)
		calls = append(calls, begun...)
		l.Spare(2000, 1000)
		l.Wants(lim, 2000)
		l.Look(lim, 2000)
	}
}
