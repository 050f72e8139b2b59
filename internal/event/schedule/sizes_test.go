package schedule_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/event/queue"
	"ottla/internal/event/schedule"
)

// topicWith makes a topic that has a setting of its own.
func (r *rig) topicWith(name, setting, value string) {
	r.Helper()
	made, err := kadm.NewClient(r.kafka).CreateTopic(r.ctx(), 2, 1, map[string]*string{setting: &value}, name)
	r.must(err)
	r.must(made.Err)
}

// noise is text that no compression makes much smaller.
func noise(of string, size int) string {
	out := ""
	for sum := sha256.Sum256([]byte(of)); len(out) < size; sum = sha256.Sum256(sum[:]) {
		out += fmt.Sprintf("%x", sum)
	}
	return out[:size]
}

// Runs of one moment are as large together as they like: what counts is each alone.
func TestManyRunsOfOneMomentAreWrittenToATopicThatTakesSmallBatches(t *testing.T) {
	r := newRig(t)
	r.topicWith("jobs", "max.message.bytes", "4096")
	r.topic("wide")
	r.queue("dead")
	const n = 40
	at := "at(" + r.clock.Now().UTC().Add(time.Hour).Format("2006-01-02T15:04:05") + ")"
	put := func(name, topic string, size int) {
		r.put(name, schedule.Spec{Expression: at, Target: schedule.Target{Topic: topic, Input: noise(name, size)}, DeadLetters: "dead"})
	}
	for i := range n {
		put(fmt.Sprint("s", i), "jobs", 1000)
		put(fmt.Sprint("w", i), "wide", 1000)
	}
	put("large", "jobs", 12000) // which it does not take at all
	r.advance(time.Hour)
	for topic, want := range map[string]int{"jobs": n, "wide": n, "dead": 1} {
		got := r.records(topic, 0)
		if len(got) != want {
			t.Errorf("%d records in %s, want %d", len(got), topic, want)
		}
		if err := once(got); topic != "dead" && err != nil {
			t.Error(err)
		}
	}
}

// What one topic refuses is nobody else's failure: runs of the same moment that go
// elsewhere are made then, and no dead letter is dropped.
func TestATopicThatRefusesRunsHoldsUpNoOthers(t *testing.T) {
	r := newRig(t)
	r.topicWith("compact", "cleanup.policy", "compact") // which takes no record without a key
	r.topic("wide")
	r.queue("dead")
	const n = 30
	at := "at(" + r.clock.Now().UTC().Add(time.Hour).Format("2006-01-02T15:04:05") + ")"
	for i := range n {
		for _, topic := range []string{"compact", "wide"} {
			r.put(fmt.Sprint(topic, i), schedule.Spec{Expression: at, Target: schedule.Target{Topic: topic, Input: "run"}, DeadLetters: "dead"})
		}
	}
	r.advance(time.Hour)
	for topic, want := range map[string]int{"compact": 0, "wide": n, "dead": n} {
		if got := len(r.records(topic, 0)); got != want {
			t.Errorf("%d records in %s, want %d", got, topic, want)
		}
	}
}

// A queue whose messages are smaller than the run's input gets the beginning of it.
func TestADeadLetterIsCutToWhatItsQueueTakes(t *testing.T) {
	r := newRig(t)
	r.topicWith("compact", "cleanup.policy", "compact")
	small := queue.DefaultSpec()
	small.MaxMessageBytes = 2048
	_, _, err := r.Queues().Create(r.ctx(), queue.Ref{Name: "dead"}, small)
	r.must(err)
	r.put("large", schedule.Spec{Expression: "rate(1 day)", Target: schedule.Target{Topic: "compact", Input: noise("large", 20_000)}, DeadLetters: "dead"})
	r.advance(time.Second)
	got, err := r.Queues().Take(r.ctx(), queue.Ref{Name: "dead"}, queue.TakeOptions{Max: 10, WaitMs: 20_000, VisibilityMs: 60_000})
	r.must(err)
	if len(got) != 1 || !strings.HasPrefix(noise("large", 20_000), string(got[0].Body)) || string(got[0].Attributes["IS_PAYLOAD_TRUNCATED"].Value) != "true" {
		t.Fatalf("%d dead letters: %+v", len(got), got)
	}
}
