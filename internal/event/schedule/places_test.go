package schedule_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule"
	"ottla/internal/event/schedule/course"
	"ottla/internal/event/sns"
)

func (r *rig) bus(called string, partitions int32) {
	r.Helper()
	_, err := r.Buses().Create(r.ctx(), bus.Ref{Name: called}, bus.Spec{Partitions: partitions})
	r.must(err)
}

func (r *rig) sns(called string, attributes map[string]string) {
	r.Helper()
	_, err := r.SNS().Create(r.ctx(), name.Of(name.SNS, called), sns.TopicSpec{Attributes: attributes})
	r.must(err)
}

// take takes all messages that are in a queue, n of them at least.
func (r *rig) take(called string, n int) (out []queue.Taken) {
	r.Helper()
	for {
		o := queue.TakeOptions{Max: 10, VisibilityMs: 60_000}
		if len(out) < n {
			o.WaitMs = 20_000
		}
		got, err := r.Queues().Take(r.ctx(), queue.Ref{Name: called}, o)
		r.must(err)
		if out = append(out, got...); len(got) == 0 && len(out) >= n {
			return out
		}
	}
}

const keywords = `{"at":"<aws.scheduler.scheduled-time>","id":"<aws.scheduler.execution-id>","of":"<aws.scheduler.schedule-arn>","n":<aws.scheduler.attempt-number>}`

// told is what a run with keywords as its input told.
type told struct {
	At, ID, Of string
	N          int
}

func (r *rig) told(text []byte) (t told) {
	r.Helper()
	if err := json.Unmarshal(text, &t); err != nil || t.ID == "" || strings.Contains(string(text), "<aws") {
		r.Fatalf("%s: %v", text, err)
	}
	return t
}

// A run is an event, with all that patterns see of one, and a rule has it.
func TestARunIsAnEventOfABus(t *testing.T) {
	r := newRig(t)
	r.bus("shop", 3)
	r.queue("due")
	rule := bus.RuleRef{Bus: "shop", Name: "due"}
	pattern := `{"source":["billing"],"detail-type":["OrdersDue"],"detail":{"n":[1]},"resources":["arn:aws:scheduler:us-east-1:123456789012:schedule/default/hourly"]}`
	_, _, err := r.Buses().ApplyRule(r.ctx(), rule, bus.RuleSpec{Pattern: pattern}, []bus.Target{{ID: "q", To: "queue:due"}})
	r.must(err)
	d := r.put("hourly", schedule.Spec{Expression: "rate(1 hour)", Target: schedule.Target{
		Bus: "shop", Type: "OrdersDue", Source: "billing", Key: "k", Input: keywords, Headers: map[string]string{"tenant": "a"},
	}})
	r.put("plain", schedule.Spec{Expression: "rate(1 day)", Target: schedule.Target{Bus: "arn:aws:events:us-east-1:123456789012:event-bus/shop"}})
	r.advance(2 * time.Hour)
	var hourly []*kgo.Record
	for _, rec := range r.records("shop", 0) {
		if header(rec, "ce_type") == "OrdersDue" {
			hourly = append(hourly, rec)
		} else if want := "arn:aws:scheduler:us-east-1:123456789012:schedule/default/plain"; header(rec, "ce_source") != want || header(rec, "ce_type") != "ottla.schedule.run" || string(rec.Value) != "{}" {
			t.Errorf("an event of nothing said is %s, %v", rec.Value, rec.Headers)
		}
	}
	if got := slots(hourly, time.UnixMilli(d.SinceMs)); !slices.Equal(got, every(3600, 3)) || once(hourly) != nil {
		t.Fatalf("ran at %v: %v", got, once(hourly))
	}
	rec := hourly[1]
	if got, want := r.told(rec.Value), (told{header(rec, "ce_time"), header(rec, "ce_id"), d.ARN(), 1}); got != want || string(rec.Key) != "k" || header(rec, "tenant") != "a" {
		t.Errorf("key %q, headers %v: got %+v, want %+v", rec.Key, rec.Headers, got, want)
	}
	if got := r.take("due", 3); len(got) != 3 {
		t.Errorf("the rule sent %d messages, want 3", len(got))
	}
}

// A run is a message, of a FIFO topic too: its group is the key, or the schedule, and its
// deduplication id the run, so that runs of one text are not taken for repeats.
func TestARunIsAMessageOfAnSNSTopic(t *testing.T) {
	r := newRig(t)
	r.sns("offers", nil)
	r.sns("offers.fifo", map[string]string{"FifoTopic": "true", "ContentBasedDeduplication": "true"})
	r.queue("mails")
	_, err := r.SNS().Subscribe(r.ctx(), name.Of(name.SNS, "offers"), sns.SubscriptionSpec{
		Protocol: "sqs", Endpoint: "arn:aws:sqs:us-east-1:123456789012:mails", Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	r.must(err)
	r.put("minutely", schedule.Spec{Expression: "rate(1 minute)", Target: schedule.Target{SNS: "offers", Input: keywords, Headers: map[string]string{"lang": "de"}}})
	r.put("again", schedule.Spec{Expression: "rate(1 minute)", Target: schedule.Target{SNS: "offers.fifo", Input: "the same"}})
	r.put("grouped", schedule.Spec{Expression: "rate(1 day)", Target: schedule.Target{SNS: "arn:aws:sns:us-east-1:123456789012:offers.fifo", Key: "g", Input: "another"}})
	r.advance(2 * time.Minute)
	ids := map[string]bool{}
	for _, m := range r.take("mails", 3) {
		got := r.told(m.Body)
		ids[got.ID] = true
		if string(m.Attributes["lang"].Value) != "de" || got.N != 1 {
			t.Errorf("%+v, %v", got, m.Attributes)
		}
	}
	if len(ids) != 3 {
		t.Errorf("%d runs came to the subscriber, want 3", len(ids))
	}
	groups, dedups, named := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, rec := range r.records("offers.fifo", 0) {
		groups[string(rec.Key)]++
		dedups[header(rec, "ottla.dedup-id")] = true
		named[header(rec, "ottla.sns.id")] = true
	}
	if groups["again"] != 3 || groups["g"] != 1 || len(dedups) != 4 || len(named) != 4 || named[""] {
		t.Errorf("groups %v, deduplication ids %v, messages %v", groups, dedups, named)
	}
}

// Whenever connections break, and over a restart, every run is an event or a message, and
// none is two.
func TestNoEventOrMessageIsLostOrComesTwice(t *testing.T) {
	r := newRig(t)
	r.bus("shop", 2)
	r.sns("offers", nil)
	d := r.put("event", schedule.Spec{Expression: "rate(30 minutes)", Target: schedule.Target{Bus: "shop", Input: keywords}})
	r.put("message", schedule.Spec{Expression: "rate(30 minutes)", Target: schedule.Target{SNS: "offers", Input: keywords}})
	r.advance(time.Second)
	for i := range 12 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 4 {
				r.CutConnections()
			}
		}()
		_ = r.clock.Advance(r.ctx(), 30*time.Minute) // what does not settle is run later
		<-done
		if i == 5 {
			r.stop()
			r.must(r.clock.Advance(r.ctx(), 2*time.Hour))
			r.start()
		}
	}
	const n = 12 + 4 + 1
	for _, topic := range []string{"shop", "offers"} {
		at, ids := []string{}, map[string]bool{}
		for _, rec := range r.until(topic, n) {
			got := r.told(rec.Value)
			at, ids[got.ID] = append(at, got.At), true
		}
		slices.Sort(at)
		var want []string
		for i := range n {
			want = append(want, time.UnixMilli(d.SinceMs).UTC().Add(time.Duration(i)*30*time.Minute).Format("2006-01-02T15:04:05Z"))
		}
		if len(ids) != n || topic == "shop" && !slices.Equal(at, want) {
			t.Errorf("%s: %d runs, ran at %v, want %v", topic, len(ids), at, want)
		}
	}
}

// bill is a function that notes what it gets and answers with statuses in turn.
type bill struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	events   [][]byte
	came     chan struct{}
	hold     chan struct{} // of the first call, which waits until it is closed
}

func newBill(t *testing.T, statuses ...int) *bill {
	b := &bill{statuses: statuses, came: make(chan struct{}, 100)}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		event, _ := io.ReadAll(req.Body)
		b.mu.Lock()
		b.events = append(b.events, event)
		n, hold := len(b.events), b.hold
		b.mu.Unlock()
		b.came <- struct{}{}
		if hold != nil && n == 1 {
			select {
			case <-hold:
			case <-req.Context().Done():
			}
		}
		w.WriteHeader(b.statuses[min(n, len(b.statuses))-1])
	}))
	t.Cleanup(b.Close)
	return b
}

// file is a file of functions that declares it.
func (b *bill) file(t *testing.T) map[string]string {
	path := filepath.Join(t.TempDir(), "functions.yaml")
	if err := os.WriteFile(path, []byte("functions:\n  bill: {url: "+b.URL+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"functions.file": path}
}

func (b *bill) got(r *rig) (out []told) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		out = append(out, r.told(e))
	}
	return out
}

func TestAFunctionIsCalledAgainUnderOneIDUntilItTakesTheRun(t *testing.T) {
	b := newBill(t, 500, 429, 200)
	r := newRigWith(t, b.file(t))
	d := r.put("daily", schedule.Spec{Expression: "rate(1 day)", Target: schedule.Target{Function: "bill", Input: keywords}})
	for range 4 {
		r.advance(5 * time.Second)
	}
	got := b.got(r)
	if len(got) != 3 {
		t.Fatalf("%d calls, want 3: %v", len(got), got)
	}
	for i, g := range got {
		if g.ID != got[0].ID || g.N != i+1 || g.Of != d.ARN() {
			t.Errorf("call %d: %+v", i+1, g)
		}
	}
	r.advance(time.Hour)
	if n := len(b.got(r)); n != 3 {
		t.Errorf("%d calls after it was taken", n)
	}
}

// The attempt was noted, and nobody noted that it was over: it is no failure.
func TestACallOfAFunctionThatANodesEndCutIsMadeAgain(t *testing.T) {
	b := newBill(t, 200)
	b.hold = make(chan struct{})
	defer close(b.hold)
	r := newRigWith(t, b.file(t))
	none := 0
	r.put("daily", schedule.Spec{Expression: "rate(1 day)", Retry: schedule.Retry{Retries: &none}, Target: schedule.Target{
		Function: "arn:aws:lambda:us-east-1:123456789012:function:bill", Input: keywords,
	}})
	select {
	case <-b.came:
	case <-r.ctx().Done():
		t.Fatal("it was not called")
	}
	r.stop()
	r.start()
	r.advance(time.Minute)
	if got := b.got(r); len(got) != 2 || got[0].ID != got[1].ID {
		t.Errorf("calls %+v, want two of one run", got)
	}
}

// What is not there is tried again, and is a dead letter then, as of any other target.
func TestARunWhoseTargetIsGoneIsADeadLetter(t *testing.T) {
	for field, to := range map[string]schedule.Target{
		"bus":      {Bus: "arn:aws:events:us-east-1:123456789012:event-bus/gone", Input: keywords},
		"sns":      {SNS: "arn:aws:sns:us-east-1:123456789012:gone", Input: keywords},
		"function": {Function: "arn:aws:lambda:us-east-1:123456789012:function:gone", Input: keywords},
	} {
		t.Run(field, func(t *testing.T) {
			r := newRig(t)
			r.queue("dead")
			one := 1
			d := r.put("daily", schedule.Spec{Expression: "rate(1 day)", Target: to, Retry: schedule.Retry{Retries: &one}, DeadLetters: "dead"})
			for range 3 {
				r.advance(10 * time.Second)
			}
			got := r.take("dead", 1)
			if len(got) != 1 {
				t.Fatalf("%d dead letters, want 1", len(got))
			}
			run := r.told(got[0].Body)
			for attribute, want := range map[string]string{
				"TARGET_ARN": d.Target.ARN(d.Ref), "RETRY_ATTEMPTS": "1", "EXHAUSTED_RETRY_CONDITION": course.ExhaustedAttempts, "EXECUTION_ID": run.ID, "SCHEDULE_ARN": d.ARN(),
			} {
				if v := string(got[0].Attributes[attribute].Value); v != want {
					t.Errorf("%s is %q, want %q", attribute, v, want)
				}
			}
			if why := string(got[0].Attributes["ERROR_MESSAGE"].Value); !strings.Contains(why, "gone") {
				t.Errorf("its reason is %q", why)
			}
		})
	}
}

// A bus and a topic may come, or come again, while runs wait for them.
func TestARunWaitsForABusOrAnSNSTopicThatIsNotThere(t *testing.T) {
	r := newRig(t)
	r.put("event", schedule.Spec{Expression: "rate(1 day)", Target: schedule.Target{Bus: "arn:aws:events:us-east-1:123456789012:event-bus/shop", Input: keywords}})
	r.put("message", schedule.Spec{Expression: "rate(1 day)", Target: schedule.Target{SNS: "arn:aws:sns:us-east-1:123456789012:offers", Input: keywords}})
	r.advance(10 * time.Second)
	r.bus("shop", 1)
	r.sns("offers", nil)
	for range 3 {
		r.advance(time.Minute)
	}
	for _, topic := range []string{"shop", "offers"} {
		if got := r.records(topic, 0); len(got) != 1 {
			t.Errorf("%s: %d runs, want 1", topic, len(got))
		} else if run := r.told(got[0].Value); run.N < 2 {
			t.Errorf("%s: %+v came at once", topic, run)
		}
	}
}

// The default bus is there when somebody uses it.
func TestARunGoesToTheDefaultBus(t *testing.T) {
	r := newRig(t)
	r.put("daily", schedule.Spec{Expression: "rate(1 day)", Target: schedule.Target{Bus: "default", Input: keywords}})
	r.advance(time.Second)
	for range 2 { // its topic may have been made a moment ago
		r.advance(5 * time.Second)
	}
	if got := r.records("default", 0); len(got) != 1 {
		t.Errorf("%d events, want 1", len(got))
	}
}

// What a name says that is not there was most likely mistyped; an ARN may name what comes.
func TestWhatATargetNamesIsThere(t *testing.T) {
	b := newBill(t, 200)
	r := newRigWith(t, b.file(t))
	r.queue("orders")
	r.bus("shop", 1)
	r.sns("offers", nil)
	for _, c := range []struct {
		to       schedule.Target
		field    string
		why      string
		accepted schedule.Target
	}{
		{schedule.Target{Queue: "ordrs"}, "target.queue", "there is no queue ordrs; did you mean orders?", schedule.Target{Queue: "arn:aws:sqs:us-east-1:123456789012:ordrs"}},
		{schedule.Target{Bus: "shopp"}, "target.bus", "there is no bus shopp; did you mean shop?", schedule.Target{Bus: "shop"}},
		{schedule.Target{SNS: "none", Input: "x"}, "target.sns", "there is no sns none", schedule.Target{SNS: "offers", Input: "x"}},
		{schedule.Target{Function: "pay"}, "target.function", "there is no function pay: a file on the server declares them (functions.file)", schedule.Target{Function: "bill"}},
	} {
		s := schedule.Spec{Expression: "rate(1 hour)", Paused: true, Target: c.to}
		_, _, err := r.Schedules().Put(r.ctx(), schedule.Ref{Name: "a"}, s)
		var bad *schedule.InvalidError
		if !errors.As(err, &bad) || bad.Field != c.field || bad.Why != c.why {
			t.Errorf("%+v: %v", c.to, err)
		}
		s.Target = c.accepted
		r.put(fmt.Sprint("a-", c.field[len("target."):]), s)
	}
	s := schedule.Spec{Expression: "rate(1 hour)", Paused: true, Target: schedule.Target{Queue: "orders"}, DeadLetters: "ordrs"}
	_, _, err := r.Schedules().Put(r.ctx(), schedule.Ref{Name: "a"}, s)
	if bad := (*schedule.InvalidError)(nil); !errors.As(err, &bad) || bad.Field != "dead_letters" || bad.Why != "there is no queue ordrs; did you mean orders?" {
		t.Errorf("dead letters: %v", err)
	}
	// What a schedule names already stays: it may be changed all the same.
	r.must(r.Buses().Delete(r.ctx(), bus.Ref{Name: "shop"}, true))
	_, err = r.Schedules().Resume(r.ctx(), schedule.Ref{Name: "a-bus"})
	r.must(err)
}
