package run_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/event/run"
)

// A target is tried as often as it says, and no more.
func TestAnEventThatWasTriedOftenEnoughIsADeadLetter(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("bad", 1)
	dlq := r.queue("dead")
	all := rule("all", "*", toTopic("bad"))
	all.Targets[0].DeadLetters, all.Targets[0].Retry = dlq, plan.Retry{Most: 0}
	r.publish(source("b", all))
	r.sicken("bad", errors.New("it is ill"))
	r.put("b", "order", 0, 1)
	r.values("dead", 1)
	r.sicken("bad", nil)
	r.put("b", "order", 1, 3)
	r.same("the topic", r.values("bad", 3), numbers(1, 3))
	found, _, err := r.Queues().Browse(r.ctx(), queue.Ref{Name: "dead"}, queue.BrowseOptions{})
	r.must(err)
	for _, h := range found[0].Headers {
		if h.Key == "EXHAUSTED_RETRY_CONDITION" && string(h.Value) != "MaximumRetryAttempts" || h.Key == "RETRY_ATTEMPTS" && string(h.Value) != "0" {
			t.Errorf("a dead letter says %s: %s", h.Key, h.Value)
		}
	}
}

// transactions are how many were ended in a topic's partition 0: each has a marker.
func (r *rig) transactions(topic string) int {
	r.Helper()
	n := len(r.values(topic, 0))
	ends, err := kadm.NewClient(r.kafka).ListCommittedOffsets(r.ctx(), topic)
	r.must(err)
	return int(ends[topic][0].Offset) - n
}

// What has waited too long behind an event that is given up is given up with it.
func TestManyEventsThatAreTooOldAreGivenUpTogether(t *testing.T) {
	const n = 400
	r := newRig(t)
	r.ailing()
	r.put("b", "order", 0, n)
	r.settle()
	r.must(r.clock.Advance(r.ctx(), 2*time.Hour))
	r.until("dead", n)
	if got := r.transactions("dead"); got > n/4 {
		t.Errorf("%d events were given up in %d transactions", n, got)
	}
}

// Events of long ago that were mirrored to a bus were given up with the one before them, a
// moment after they had come, and none of them had been tried. They have the time that
// those of today have.
func TestEventsOfLongAgoHaveTheirTimeSinceTheyCame(t *testing.T) {
	r := newRig(t)
	r.ailing()
	r.put("b", "order", 0, 1)
	r.settle()
	r.must(r.clock.Advance(r.ctx(), 50*time.Minute))
	r.settle()
	r.putAt(r.clock.Now().Add(-100*time.Hour), "b", "order", 1, 3)
	r.settle()
	r.must(r.clock.Advance(r.ctx(), 20*time.Minute))
	r.until("dead", 1)
	r.settle()
	r.must(r.clock.Advance(r.ctx(), 35*time.Minute)) // 55 since they came
	r.settle()
	if got := r.values("dead", 0); len(got) != 1 {
		t.Errorf("%d dead letters, want the first event alone: %.300v", len(got), got)
	}
	r.must(r.clock.Advance(r.ctx(), 10*time.Minute))
	r.until("dead", 4)
	r.sicken("bad", nil)
	r.put("b", "order", 4, 1)
	r.same("the topic", r.values("bad", 1), numbers(4, 1))
}

// A target that is tried with one event after a failure passes over all that it does not
// want in one transaction.
func TestATargetThatComesBackPassesOverWhatItDoesNotWant(t *testing.T) {
	const n = 1000
	r := newRig(t)
	r.topic("b", 1)
	r.topic("bad", 1)
	r.publish(source("b", rule("wanted", "wanted", toTopic("bad"))))
	r.put("b", "wanted", 0, 1)
	r.settle()
	r.sicken("bad", errors.New("it is ill"))
	r.put("b", "noise", 0, n)
	r.put("b", "wanted", 1, 2)
	r.settle() // it has left, before the noise
	before := r.states()
	r.sicken("bad", nil)
	r.put("b", "wanted", 3, 1)
	r.until("bad", 4)
	r.same("the topic", r.values("bad", 4), numbers(0, 4))
	if got := r.states() - before; got > n/2 {
		t.Errorf("it came back past %d events that it does not want by %d records of its state", n, got)
	}
}

// states are how much was written to the state topic.
func (r *rig) states() (sum int64) {
	r.Helper()
	ends, err := kadm.NewClient(r.kafka).ListEndOffsets(r.ctx(), run.StateTopic)
	r.must(err)
	ends.Each(func(o kadm.ListedOffset) { sum += o.Offset })
	return sum
}

// How long a target has failed counts from the first failure after it took something.
func TestATargetThatTakesAgainHasItsTimeAgain(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("bad", 1)
	dlq := r.queue("dead")
	all := rule("all", "*", toTopic("bad"))
	all.Targets[0].DeadLetters, all.Targets[0].Retry = dlq, plan.Retry{Most: -1, MaxAgeMs: 3600_000}
	ill, once := errors.New("it is ill"), false
	all.Targets[0].Render = func(e *plan.Event) (plan.Payload, error) {
		r.mu.Lock()
		if string(e.Data) == "0" && r.ill["bad"] == nil {
			once = true
		}
		if string(e.Data) == "1" && once && r.ill["bad"] == nil { // the next one fails again
			r.ill["bad"], once = ill, false
		}
		r.mu.Unlock()
		return data(e)
	}
	r.publish(source("b", all))
	r.sicken("bad", ill)
	r.put("b", "order", 0, 2)
	r.settle()
	r.must(r.clock.Advance(r.ctx(), 40*time.Minute))
	r.sicken("bad", nil)
	r.until("bad", 1) // the first is taken, the second not
	r.settle()
	r.must(r.clock.Advance(r.ctx(), 30*time.Minute))
	r.settle()
	r.settle()
	r.sicken("bad", nil)
	r.until("bad", 2)
	r.same("the topic", r.values("bad", 2), numbers(0, 2))
	r.same("dead letters", r.values("dead", 0), nil)
}

// What no rule can be matched with is one dead letter, whoever else passes it: targets
// with cursors of their own, and replays.
func TestAnEventThatCannotBeReadIsOneDeadLetter(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.topic("late", 1)
	dlq := r.queue("dead")
	unreadable := func(src *plan.Source) *plan.Source {
		match := src.Match
		src.DeadLetters = dlq
		src.Match = func(into []int, doc []byte) ([]int, error) {
			if strings.Contains(string(doc), `"unreadable"`) {
				return into, errors.New("it cannot be read")
			}
			return match(into, doc)
		}
		return src
	}
	all, late := rule("all", "*", toTopic("out")), rule("late", "*", toTopic("late"))
	r.publish(unreadable(source("b", all)))
	r.put("b", "order", 0, 1)
	r.put("b", "unreadable", 1, 1)
	r.put("b", "order", 2, 1)
	r.settle()
	src := with(unreadable(source("b", all, late)), again("all", 0, 3))
	r.publish(src)
	r.sicken("dead", errors.New("it is ill"))
	r.replayed(src, "all")
	r.sicken("dead", nil)
	r.settle()
	late2 := r.values("late", 2)
	r.same("the late one", late2[:2], []string{"0", "2"})
	if n := len(r.values("dead", 1)); n != 1 {
		t.Errorf("there are %d dead letters", n)
	}
}

// While the pass has turn after turn to take, those beside it hear how far it is.
func TestABusyPassTellsHowFarItIs(t *testing.T) {
	r := newRig(t)
	r.topic("b", 1)
	r.topic("out", 1)
	r.topic("bad", 1)
	const last = 30 // three turns and more: each has nine at most, which are this large
	data := `"` + strings.Repeat("x", 500_000) + `"`
	reached, goes := make(chan struct{}), make(chan struct{})
	var once sync.Once
	defer once.Do(func() { close(goes) })
	id := func(e *plan.Event) (plan.Payload, error) { return plan.Payload{Body: []byte(e.ID)}, nil }
	out, bad := rule("out", "*", toTopic("out")), rule("bad", "*", toTopic("bad"))
	out.Targets[0].Render, bad.Targets[0].Render = func(e *plan.Event) (plan.Payload, error) {
		if e.ID == strconv.Itoa(last) {
			select {
			case <-goes:
			case reached <- struct{}{}:
				<-goes
			}
		}
		return id(e)
	}, id
	r.publish(source("b", out, bad))
	r.sicken("bad", errors.New("it is ill"))
	r.put("b", "order", 0, 1)
	r.settle()    // it has left
	r.run.Close() // so that all lies there when the pass begins
	for n := range last {
		r.must(r.kafka.ProduceSync(r.ctx(), &kgo.Record{Topic: "b", Value: []byte(data), Timestamp: r.clock.Now(), Headers: []kgo.RecordHeader{
			{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte(strconv.Itoa(n + 1))}, {Key: "ce_source", Value: []byte("test")},
			{Key: "ce_type", Value: []byte("order")}, {Key: "content-type", Value: []byte("application/json")},
		}}).FirstErr())
	}
	r.run = r.service()
	r.run.Look()
	select {
	case <-reached:
	case <-r.ctx().Done():
		t.Fatal("the pass did not come to the last event")
	}
	r.sicken("bad", nil)
	r.values("bad", 2)
	once.Do(func() { close(goes) })
	r.values("bad", last+1)
}
