package run_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

// again is a replay of all that a bus with one partition has in a window.
func again(called string, from, to int64) *plan.Replay {
	return &plan.Replay{Ref: name.Of(name.Replay, called), ID: called + "-id", Version: 1, Topic: "b", From: []int64{from}, To: []int64{to}}
}

func with(src *plan.Source, replays ...*plan.Replay) *plan.Source {
	out := *src
	out.Replays = replays
	return &out
}

// replayed waits until a replay is over at partition 0, its branches included.
func (r *rig) replayed(src *plan.Source, called string) course.Replay {
	r.Helper()
	for ctx := r.ctx(); ; {
		all, err := r.run.Cursors(ctx, src)
		r.must(err)
		at, branches := all[0].Replays[called+"-id"], 0
		for n := range all[0].Branches {
			if n.Replay == called+"-id" {
				branches++
			}
		}
		if at.Done && branches == 0 {
			return at
		}
		r.must(r.run.Settle(ctx))
	}
}

// A replay gives a rule the events of its window once more, marked, and other rules
// nothing.
func TestAReplayGivesTheEventsOfItsWindowToItsRules(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.topic("other", 1)
	wanted, other := rule("wanted", "order", toTopic("out")), rule("other", "*", toTopic("other"))
	var mu sync.Mutex
	marked := map[string]int{}
	wanted.Targets[0].Render = func(e *plan.Event) (plan.Payload, error) {
		mu.Lock()
		defer mu.Unlock()
		marked[e.Replay]++
		return plan.Payload{Body: append([]byte{}, e.Data...)}, nil
	}
	src := source("b", wanted, other)
	r.publish(src)
	r.put("b", "order", 0, 100)
	r.put("b", "noise", 100, 100)
	r.settle()
	p := again("second", 40, 150)
	p.Wants = func(r *plan.Rule, _ *plan.Target) bool { return r.Ref == wanted.Ref }
	src = with(src, p)
	r.publish(src)
	if at := r.replayed(src, "second"); at.Events != 110 || at.At != 150 {
		t.Errorf("the replay is at %+v", at)
	}
	r.same("the rule", r.values("out", 160), append(numbers(0, 100), numbers(40, 60)...))
	r.same("the other", r.values("other", 200), numbers(0, 200))
	mu.Lock()
	defer mu.Unlock()
	if marked["second"] < 60 {
		t.Errorf("events were marked %v", marked)
	}
}

// A replay whose runners end in its midst gives every event once, and one whose target
// fails waits for it.
func TestAReplayIsExactWhateverEndsMeanwhile(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.put("b", "order", 0, 5000)
	only := rule("only", "*", toTopic("out"))
	p := again("all", 0, 5000)
	p.Only = only
	src := with(source("b"), p)
	r.publish(src)
	r.sicken("out", nil)
	for i := range 4 {
		if i == 2 {
			r.sicken("out", errors.New("it is ill"))
		} else {
			r.sicken("out", nil)
		}
		_ = r.run.Settle(r.ctx())
		r.run.Close()
		r.run = r.service()
		r.run.Look()
	}
	r.sicken("out", nil)
	r.replayed(src, "all")
	r.same("the topic", r.values("out", 5000), numbers(0, 5000))
}

// Whenever connections break, every event is given, and none twice.
func TestNoEventIsLostOrComesTwiceWhenConnectionsBreak(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	q := r.queue("q")
	r.publish(source("b", rule("all", "*", toTopic("out"), plan.Place{Kind: plan.Queue, Ref: q})))
	ctx, cancel := context.WithCancel(r.ctx())
	var cutter sync.WaitGroup
	cutter.Go(func() {
		// Longer and longer, so that something comes through however slow the machine is.
		for pause := 11 * time.Millisecond; ctx.Err() == nil; pause += pause / 16 {
			r.CutConnections()
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	})
	for round := range 20 {
		r.put("b", "order", round*50, 50)
	}
	cancel()
	cutter.Wait()
	r.same("the topic", r.values("out", 1000), numbers(0, 1000))
	r.same("the queue", r.values("q", 1000), numbers(0, 1000))
}

// A target that left a replay may be at the end before the replay is: it gets nothing
// twice, whoever ends then.
func TestATargetThatIsAheadOfItsReplayGetsNothingTwice(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.put("b", "order", 0, 100)
	p := again("all", 0, 100)
	p.Only = rule("only", "*", toTopic("out"))
	r.sicken("out", errors.New("it is ill"))
	src := source("b")
	r.publish(with(src, p))
	for ctx := r.ctx(); ; {
		c, err := r.run.Cursors(ctx, src)
		r.must(err)
		if len(c[0].Branches) == 1 {
			break
		}
	}
	held := *p
	held.Paused, held.Rate = true, 1
	src = source("b")
	r.publish(with(src, &held))
	r.sicken("out", nil)
	r.settle()
	r.same("the topic", r.values("out", 100), numbers(0, 100))
	for _, paused := range []bool{true, false} {
		next := *p
		next.Paused = paused
		src = source("b")
		r.run.Close()
		r.run = r.service()
		r.publish(with(src, &next))
		r.settle()
	}
	r.replayed(src, "all")
	r.same("the topic", r.values("out", 100), numbers(0, 100))
}

// A replay that begins under the name of one that has just ended has nothing of that.
func TestAReplayOfTheNameOfAnotherIsAnother(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.put("b", "order", 0, 500)
	src := source("b")
	const times = 5
	for i := range times {
		p := again("all", 0, 500)
		p.ID, p.Only = "all-"+strconv.Itoa(i), rule("only", "*", toTopic("out"))
		p.Only.Targets[0].Render = func(e *plan.Event) (plan.Payload, error) {
			return plan.Payload{Body: []byte(p.ID + " " + string(e.Data))}, nil
		}
		src = source("b")
		r.publish(with(src, p))
		r.settle()
	}
	last := "all-" + strconv.Itoa(times-1)
	for ctx := r.ctx(); ; {
		all, err := r.run.Cursors(ctx, src)
		r.must(err)
		if all[0].Replays[last].Done {
			break
		}
		r.must(r.run.Settle(ctx))
	}
	got := map[string][]string{}
	for _, v := range r.values("out", 500) {
		id, n, _ := strings.Cut(v, " ")
		got[id] = append(got[id], n)
	}
	for id, all := range got {
		r.same(id, all, numbers(0, len(all)))
	}
	r.same("the last one", got[last], numbers(0, 500))
}

// However many targets of a replay have a topic that is not there, others wait for none of
// them.
func TestManyTargetsWithoutATopicHoldNoReplayUp(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("good", 1)
	r.put("b", "order", 0, 5)
	p := again("all", 0, 5)
	var places []plan.Place
	for range 80 {
		places = append(places, toTopic("gone"))
	}
	p.Only = rule("only", "*", append(places, toTopic("good"))...)
	src := with(source("b"), p)
	r.publish(src)
	r.same("the good one", r.values("good", 5), numbers(0, 5))
	r.topic("gone", 1)
	r.replayed(src, "all")
	if n := len(r.values("gone", 400)); n != 400 {
		t.Errorf("the others have %d events, want 400", n)
	}
}
