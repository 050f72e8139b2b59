package run_test

import (
	"errors"
	"fmt"
	"testing"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
)

func TestEventsGoToTheTargetsOfTheRulesThatTheyFit(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	q := r.queue("q")
	r.publish(source("b", rule("orders", "order", toTopic("out"), plan.Place{Kind: plan.Queue, Ref: q})))
	r.put("b", "order", 0, 50)
	r.put("b", "other", 100, 50)
	r.put("b", "order", 50, 50)
	r.same("the topic", r.values("out", 100), numbers(0, 100))
	r.same("the queue", r.values("q", 100), numbers(0, 100))
}

// Events that nobody wanted are behind the runner, too: whoever asks how far it is hears
// of it, though it has nothing to write for them.
func TestARunnerThatHasNothingToDoSaysThatItIsAtTheEnd(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	src := source("b", rule("orders", "order", toTopic("out")))
	r.publish(src)
	r.put("b", "order", 0, 1)
	r.put("b", "other", 1, 2)
	ctx := r.ctx()
	for {
		at, err := r.run.Cursors(ctx, src)
		r.must(err)
		if len(at) == 1 && at[0].At == 3 {
			return
		}
	}
}

// What a runner has not done when it ends is done by the next, and nothing twice.
func TestANewRunnerGoesOnWhereTheOneBeforeWas(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.publish(source("b", rule("all", "*", toTopic("out"))))
	for round := range 5 {
		r.put("b", "order", round*100, 100)
		if round%2 == 0 {
			r.settle()
		}
		r.run.Close()
		r.run = r.service()
		r.run.Look()
	}
	r.settle()
	r.same("the topic", r.values("out", 500), numbers(0, 500))
}

// Two that both take themselves for the leader fence each other.
func TestTwoRunnersAtOnceGiveEveryEventOnce(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.publish(source("b", rule("all", "*", toTopic("out"))))
	other := r.service()
	other.Look()
	for round := range 5 {
		r.put("b", "order", round*100, 100)
		_ = other.Settle(r.ctx())
	}
	other.Close()
	r.same("the topic", r.values("out", 500), numbers(0, 500))
}

// A target that was heard of late gets what was put since it holds, and a rule that
// is new nothing of before.
func TestTargetsGetWhatWasPutFromTheirBeginningOn(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("first", 1)
	r.topic("late", 1)
	r.put("b", "order", 0, 10)
	first := rule("first", "*", toTopic("first"))
	first.From = []int64{10}
	r.publish(source("b", first))
	r.put("b", "order", 10, 20)
	r.settle()
	late := rule("late", "*", toTopic("late"))
	late.From = []int64{15}
	r.publish(source("b", first, late))
	r.put("b", "order", 30, 10)
	r.same("the first", r.values("first", 30), numbers(10, 30))
	r.same("the late one", r.values("late", 25), numbers(15, 25))
}

// A target whose topic takes nothing holds nobody up; when it does again, it gets all.
func TestATargetThatFailsLeavesThePassAndComesBack(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("good", 1)
	r.topic("bad", 1)
	r.publish(source("b", rule("both", "*", toTopic("good"), toTopic("bad"))))
	r.put("b", "order", 0, 10)
	r.settle()
	r.sicken("bad", errors.New("it is ill"))
	r.put("b", "order", 10, 50)
	r.same("the good one", r.values("good", 60), numbers(0, 60))
	r.settle()
	src := r.sources.Sources()[0]
	c, err := r.run.Cursors(r.ctx(), src)
	r.must(err)
	if len(c) != 1 || len(c[0].Branches) != 1 {
		t.Errorf("while a target fails the cursors are %+v", c)
	}
	r.sicken("bad", nil)
	r.put("b", "order", 60, 50)
	r.settle()
	r.same("the bad one", r.values("bad", 110), numbers(0, 110))
	r.same("the good one", r.values("good", 110), numbers(0, 110))
}

// A paused rule gets nothing, and later everything.
func TestAPausedRuleGetsItsEventsWhenItGoesOn(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.topic("held", 1)
	out, held := rule("out", "*", toTopic("out")), rule("held", "*", toTopic("held"))
	r.publish(source("b", out, held))
	r.put("b", "order", 0, 10)
	r.settle()
	paused := *held
	paused.Paused, paused.Version = true, 2
	r.publish(source("b", out, &paused))
	r.must(r.run.Applied(r.ctx(), r.sources.Sources()[0], &paused))
	r.put("b", "order", 10, 20)
	r.same("the other", r.values("out", 30), numbers(0, 30))
	r.same("the paused one", r.values("held", 10), numbers(0, 10))
	again := *held
	again.Version = 3
	r.publish(source("b", out, &again))
	r.put("b", "order", 30, 10)
	r.same("the paused one", r.values("held", 40), numbers(0, 40))
}

// What cannot be made is a dead letter, with why.
func TestAnEventThatCannotBeGivenIsADeadLetter(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	dlq := r.queue("dead")
	all := rule("all", "*", toTopic("out"))
	all.Targets[0].DeadLetters = dlq
	r.publish(source("b", all))
	r.put("b", "order", 0, 3)
	r.put("b", "broken", 3, 2)
	r.put("b", "order", 5, 3)
	r.settle()
	r.same("the topic", r.values("out", 6), append(numbers(0, 3), numbers(5, 3)...))
	found, _, err := r.Queues().Browse(r.ctx(), queue.Ref{Name: "dead"}, queue.BrowseOptions{})
	r.must(err)
	if len(found) != 2 || found[0].Reason != "it cannot be made" {
		t.Fatalf("dead letters are %+v", found)
	}
	headers := map[string]string{}
	for _, h := range found[0].Headers {
		headers[h.Key] = string(h.Value)
	}
	if headers["ERROR_CODE"] == "" || headers["RULE_ARN"] != "arn:aws:events:us-east-1:123456789012:rule/b/all" || headers["TARGET_ARN"] == "" {
		t.Errorf("a dead letter says %v", headers)
	}
}

// Events that rules send round end after sixteen buses.
func TestEventsThatGoRoundEnd(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("c", 1)
	dlq := r.queue("dead")
	forward := func(e *plan.Event) (plan.Payload, error) { return plan.Payload{Event: e.Event}, nil }
	to := func(called, bus string) *plan.Rule {
		x := rule(called, "*", plan.Place{Kind: plan.Bus, Ref: name.Of(name.Bus, bus)})
		x.Targets[0].Render, x.Targets[0].DeadLetters = forward, dlq
		return x
	}
	r.publish(source("b", to("there", "c")), source("c", to("back", "b")))
	r.put("b", "order", 7, 1)
	r.settle()
	b, c := r.values("b", 9), r.values("c", 8)
	if fmt.Sprint(len(b), len(c), len(r.values("dead", 1))) != "9 8 1" {
		t.Errorf("the buses have %d and %d events, want 9 and 8", len(b), len(c))
	}
}
