package run_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/event/run"
)

// An event that is too old is given up, and the target goes on with the next.
func TestAnEventThatIsTooOldIsADeadLetter(t *testing.T) {
	r := newRig(t)
	r.ailing()
	r.put("b", "order", 0, 3)
	r.settle()
	r.must(r.clock.Advance(r.ctx(), 2*time.Hour))
	r.until("dead", 3)
	r.sicken("bad", nil)
	r.put("b", "order", 3, 3)
	r.same("the topic", r.values("bad", 3), numbers(3, 3))
	found, _, err := r.Queues().Browse(r.ctx(), queue.Ref{Name: "dead"}, queue.BrowseOptions{})
	r.must(err)
	for _, f := range found {
		headers := map[string]string{}
		for _, h := range f.Headers {
			headers[h.Key] = string(h.Value)
		}
		if headers["EXHAUSTED_RETRY_CONDITION"] != "MaximumEventAgeInSeconds" || headers["ERROR_MESSAGE"] != "topic bad: it is ill" {
			t.Errorf("a dead letter says %v", headers)
		}
	}
}

// A record that is too large for its topic is a dead letter at once.
func TestAnEventThatIsTooLargeIsADeadLetter(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	dlq := r.queue("dead")
	all := rule("all", "*", toTopic("out"))
	all.Targets[0].DeadLetters = dlq
	render := all.Targets[0].Render
	all.Targets[0].Render = func(e *plan.Event) (plan.Payload, error) {
		if string(e.Data) == "1" {
			return plan.Payload{Body: make([]byte, 1<<20)}, nil
		}
		return render(e)
	}
	r.publish(source("b", all))
	r.put("b", "order", 0, 3)
	r.same("the topic", r.values("out", 2), []string{"0", "2"})
	if n := len(r.values("dead", 1)); n != 1 {
		t.Errorf("there are %d dead letters", n)
	}
}

// A queue that delays its messages delays those that a rule brings.
func TestAQueueThatDelaysGetsItsEventsLater(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	spec := queue.DefaultSpec()
	spec.DelayMs = 60_000
	_, _, err := r.Queues().Create(r.ctx(), queue.Ref{Name: "later"}, spec)
	r.must(err)
	r.know("later", 1)
	src := source("b", rule("all", "*", plan.Place{Kind: plan.Queue, Ref: name.Of(name.Queue, "later")}))
	r.publish(src)
	r.unsaid = 3 // what may have been sent or not is sent again
	r.put("b", "order", 0, 5)
	for away := true; away; {
		r.settle()
		c, err := r.run.Cursors(r.ctx(), src)
		r.must(err)
		away = len(c[0].Branches) > 0
	}
	r.same("the queue at first", r.values("later", 0), nil)
	r.must(r.clock.Advance(r.ctx(), time.Minute))
	if got := r.values("later", 5); len(got) != 5 {
		t.Errorf("the queue has %d events: %v", len(got), got)
	}
}

// What a rule sends to a queue that is no more are dead letters at once.
func TestAQueueThatIsGoneIsNotWaitedFor(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	dlq := r.queue("dead")
	all := rule("all", "*", plan.Place{Kind: plan.Queue, Ref: name.Of(name.Queue, "gone")})
	all.Targets[0].DeadLetters = dlq
	src := source("b", all)
	r.publish(src)
	r.put("b", "order", 0, 3)
	if n := len(r.values("dead", 3)); n != 3 {
		t.Errorf("there are %d dead letters", n)
	}
	found, _, err := r.Queues().Browse(r.ctx(), queue.Ref{Name: "dead"}, queue.BrowseOptions{})
	r.must(err)
	code := ""
	for _, h := range found[0].Headers {
		if h.Key == "ERROR_CODE" {
			code = string(h.Value)
		}
	}
	c, err := r.run.Cursors(r.ctx(), src)
	r.must(err)
	if code != "NO_RESOURCE" || len(c[0].Branches) != 0 {
		t.Errorf("a dead letter says %q, and cursors are %+v", code, c)
	}
}

// One that the node alone has not heard of is waited for.
func TestAQueueThatTheNodeHasNotHeardOfGetsItsEvents(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	q, dlq := r.queue("q"), r.queue("dead")
	all := rule("all", "*", plan.Place{Kind: plan.Queue, Ref: q})
	all.Targets[0].DeadLetters = dlq
	r.behind = "q"
	r.publish(source("b", all))
	r.put("b", "order", 0, 3)
	r.settle()
	r.mu.Lock()
	r.behind = ""
	r.mu.Unlock()
	r.settle()
	r.same("the queue", r.values("q", 3), numbers(0, 3))
	r.same("dead letters", r.values("dead", 0), nil)
}

// What retention took before it was read is passed over.
func TestABusGoesOnBehindWhatRetentionTook(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	src := source("b", rule("all", "*", toTopic("out")))
	r.publish(src)
	r.put("b", "order", 0, 10)
	r.settle()
	r.run.Close()
	r.put("b", "order", 10, 10)
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: "b", Partition: 0, At: 15})
	gone, err := kadm.NewClient(r.kafka).DeleteRecords(r.ctx(), offsets)
	r.must(errors.Join(err, gone.Error()))
	r.run = r.service()
	r.run.Look()
	r.settle()
	r.same("the topic", r.values("out", 15), append(numbers(0, 10), numbers(15, 5)...))
}

// Of a source that is no more nothing is kept.
func TestASourceThatIsNoMoreIsForgotten(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	src := source("b", rule("all", "*", toTopic("out")))
	r.publish(src)
	r.put("b", "order", 0, 10)
	r.settle()
	r.publish()
	for ctx := r.ctx(); ; {
		c, err := r.run.Cursors(ctx, src)
		r.must(err)
		if !c[0].Known && len(c[0].Rules) == 0 {
			break
		}
	}
}

// Nor of one that vanished while nobody ran it.
func TestASourceThatVanishedUnseenIsForgotten(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("c", 1)
	r.topic("out", 1)
	src, stays := source("b", rule("all", "*", toTopic("out"))), source("c")
	r.publish(src, source("c", rule("all", "*", toTopic("out"))))
	r.put("b", "order", 0, 10)
	r.put("c", "order", 0, 10)
	r.settle()
	r.run.Close()
	r.sources.set(stays)
	r.run = r.service()
	r.run.Look()
	for ctx := r.ctx(); ; {
		c, err := r.run.Cursors(ctx, src)
		r.must(err)
		if !c[0].Known && len(c[0].Rules) == 0 {
			break
		}
	}
	c, err := r.run.Cursors(r.ctx(), stays)
	r.must(err)
	if !c[0].Known {
		t.Error("a source that is there was forgotten")
	}
}

// However many targets have a topic that is not there, others wait for none of them.
func TestManyTargetsWithoutATopicHoldNobodyUp(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("good", 1)
	var all []*plan.Rule
	for i := range 100 {
		all = append(all, rule(fmt.Sprint("r", i), "*", toTopic("gone")))
	}
	r.publish(source("b", append(all, rule("good", "*", toTopic("good")))...))
	r.put("b", "order", 0, 5)
	r.same("the good one", r.values("good", 5), numbers(0, 5))
	r.topic("gone", 1)
	r.put("b", "order", 5, 5)
	r.until("gone", 1000)
	got := map[string]int{}
	for _, v := range r.values("gone", 1000) {
		got[v]++
	}
	for _, n := range numbers(0, 10) {
		if got[n] != 100 {
			t.Errorf("event %s is there %d times, want 100", n, got[n])
		}
	}
	r.same("the good one", r.values("good", 10), numbers(0, 10))
}

// A branch may be ahead of what is written of the pass, where nothing in that was
// wanted: after an end it goes on where it is.
func TestABranchThatIsAheadOfThePassGivesNothingTwice(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("good", 1)
	r.topic("bad", 1)
	r.publish(source("b", rule("good", "wanted", toTopic("good")), rule("bad", "other", toTopic("bad"))))
	r.put("b", "wanted", 0, 1)
	n := 0
	for range 3 { // each time it stays out longer
		r.sicken("bad", errors.New("it is ill"))
		r.put("b", "other", n, 10)
		r.settle()
		r.sicken("bad", nil)
		r.settle()
		n += 10
	}
	r.put("b", "other", n, 100)
	r.settle()
	for range 3 {
		r.run.Close()
		r.run = r.service()
		r.run.Look()
		r.settle()
	}
	r.put("b", "other", n+100, 10)
	r.settle()
	r.same("the topic", r.values("bad", n+110), numbers(0, n+110))
}

// What a branch that died with its node left open holds nobody up who takes over.
func TestWhatTheDeadLeftOpenHoldsNobodyUp(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.publish(source("b", rule("all", "*", toTopic("out"))))
	r.put("b", "order", 0, 3)
	r.settle()
	r.run.Close()
	c, err := r.client(kgo.TransactionalID("ottla-bus-b-id-0-branch-dead"), kgo.TransactionTimeout(10*time.Minute), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	r.must(err)
	r.must(c.BeginTransaction())
	for p := range int32(run.Partitions) {
		rec := &kgo.Record{Topic: run.StateTopic, Partition: p, Key: []byte("b-id/0/branch//dead"), Value: []byte("{}")}
		r.must(c.ProduceSync(r.ctx(), rec).FirstErr())
	}
	c.Close()
	r.run = r.service()
	r.run.Look()
	r.put("b", "order", 3, 3)
	r.settle()
	r.same("the topic", r.values("out", 6), numbers(0, 6))
}

// A runner that begins where its node has not heard of all rules and replays forgets
// none: what was given is not given again.
func TestARunnerThatBeginsBeforeItsNodeKnowsAllRulesForgetsNone(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.topic("again", 1)
	p := again("all", 0, 10)
	p.Only = rule("only", "*", toTopic("again"))
	little := source("b", rule("other", "none", toTopic("again")))
	all := with(source("b", little.Rules[0], rule("all", "*", toTopic("out"))), p)
	r.put("b", "order", 0, 10)
	r.publish(all)
	r.settle()
	r.replayed(all, "all")
	r.run.Close()
	r.sources.behind(little, all)
	r.run = r.service()
	r.run.Look()
	r.put("b", "order", 10, 10)
	r.same("the topic", r.values("out", 20), numbers(0, 20))
	r.settle()
	r.same("the topic", r.values("out", 20), numbers(0, 20))
	r.same("the replay", r.values("again", 10), numbers(0, 10))
}

// A source that is there again before it was forgotten is not: what was given is not given
// again.
func TestASourceThatIsThereAgainIsNotForgotten(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	src := source("b", rule("all", "*", toTopic("out")))
	r.publish(src)
	r.put("b", "order", 0, 10)
	r.settle()
	r.sources.behind(nil, src) // it is there again when the runner that ends asks
	r.run.Look()
	for ctx := r.ctx(); len(r.sources.Sources()) == 0; {
		r.must(ctx.Err())
	}
	r.put("b", "order", 10, 10)
	r.settle()
	r.same("the topic", r.values("out", 20), numbers(0, 20))
}
