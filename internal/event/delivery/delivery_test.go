package delivery_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/delivery"
	"ottla/internal/event/delivery/course"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/event/webhook"
	"ottla/internal/record"
)

var secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two bytes ...."[:32]))

// slow waits for longer than a test lasts: the clock runs on by itself, too.
var slow = plan.Retry{Most: 9, WaitsMs: []int64{600_000}}

func TestAnEventIsDeliveredSignedUnderOneID(t *testing.T) {
	r := newRig(t)
	s := newSite(t, nil)
	to := r.target("hook", plan.Endpoint{
		URL: s.URL + "/in/*?fixed=1", Secrets: []string{secret}, Headers: []plan.Header{{Name: "x-own", Value: "1"}}, Query: []plan.Header{{Name: "key", Value: "hidden"}},
		Authorize: func(context.Context, bool) ([]plan.Header, error) {
			return []plan.Header{{Name: "X-Pass", Value: "hidden"}}, nil
		},
	})
	e := &plan.Event{Doc: []byte("{}"), Topic: "orders"}
	rec, err := delivery.Record(to, e, plan.Payload{Body: []byte("a body"), ContentType: "text/plain", Path: []string{"a/b"}, Query: []plan.Header{{Name: "q", Value: "&"}}})
	r.must(err)
	rec.Timestamp = r.clock.Now()
	r.must(r.kafka.ProduceSync(r.ctx(), rec).FirstErr())
	r.settle()

	got := s.all()
	if len(got) != 1 {
		t.Fatalf("%d calls", len(got))
	}
	g := got[0]
	if g.path != "/in/a%2Fb" || g.query != "fixed=1&key=hidden&q=%26" || g.body != "a body" || g.header.Get("X-Own") != "1" || g.header.Get("X-Pass") != "hidden" || g.header.Get("Content-Type") != "text/plain" {
		t.Errorf("called with %+v", g)
	}
	key, err := webhook.ParseKey(secret)
	r.must(err)
	id := e.DeliveryID(to)
	signed := webhook.Signed{ID: g.header.Get(webhook.HeaderID), Timestamp: g.header.Get(webhook.HeaderTimestamp), Signature: g.header.Get(webhook.HeaderSignature)}
	if err := webhook.Verify([]webhook.Key{key}, signed, []byte(g.body), time.Now().Unix()); err != nil || signed.ID != id {
		t.Errorf("signed %+v: %v", signed, err)
	}
	found, err := r.svc.Attempts(r.ctx(), delivery.Query{Target: to.Key})
	r.must(err)
	if len(found) != 1 || !found[0].OK || found[0].Status != 200 || found[0].Answer != "answer 1" || found[0].Delivery != id || found[0].Number != 1 {
		t.Fatalf("attempts: %+v", found)
	}
	if text := found[0].URL + found[0].Header["X-Pass"]; strings.Contains(text, "hidden") || strings.Contains(text, "fixed=1") {
		t.Errorf("what is secret is told: %s", text)
	}
}

func TestWhatFailsIsTriedAgainUnderTheSameID(t *testing.T) {
	r := newRig(t)
	s := newSite(t, func(n int, _ string) int {
		if n < 4 {
			return 503
		}
		return 0
	})
	to := r.target("hook", plan.Endpoint{URL: s.URL, Secrets: []string{secret}, Retry: slow})
	r.put(to, "", "e-1")
	r.settle()
	if n := len(s.all()); n != 1 {
		t.Fatalf("%d calls at first", n)
	}
	r.again() // what is known of it outlives the node
	r.advance(time.Hour)
	got := s.all()
	if len(got) != 4 {
		t.Fatalf("%d calls, want 4", len(got))
	}
	for _, g := range got {
		if g.header.Get(webhook.HeaderID) != got[0].header.Get(webhook.HeaderID) || g.body != "e-1" {
			t.Errorf("called with %+v", g)
		}
	}
	found, err := r.svc.Attempts(r.ctx(), delivery.Query{Event: "e-1", Failed: true, Status: 503})
	r.must(err)
	var numbers []int
	for _, a := range found {
		numbers = append(numbers, a.Number)
	}
	if !slices.Equal(numbers, []int{1, 2, 3}) {
		t.Errorf("attempts that failed: %v", numbers)
	}
	r.advance(48 * time.Hour)
	if n := len(s.all()); n != 4 {
		t.Errorf("%d calls after it was delivered", n)
	}
}

func TestWhatIsGivenUpIsADeadLetter(t *testing.T) {
	r := newRig(t)
	dead := r.queue("dead")
	for _, c := range []struct {
		id        string
		status    int
		retry     plan.Retry
		calls     int
		code      string
		exhausted string
		retries   string
	}{
		{"refused", 400, course.EventBridge(), 1, "HTTP_400", "", "0"},
		{"unknown", 401, course.EventBridge(), 1, "HTTP_401", "", "0"},
		{"moved", 302, plan.Retry{Most: 1, WaitsMs: []int64{1000}}, 2, "HTTP_302", course.ExhaustedAttempts, "1"},
		{"down", 500, plan.Retry{Most: 2, WaitsMs: []int64{1000}}, 3, "HTTP_500", course.ExhaustedAttempts, "2"},
		{"old", 500, plan.Retry{Most: -1, MaxAgeMs: 1500_000, WaitsMs: []int64{600_000}}, 3, "HTTP_500", course.ExhaustedAge, "2"},
		{"none", 500, plan.Retry{}, 1, "HTTP_500", course.ExhaustedAttempts, "0"},
	} {
		t.Run(c.id, func(t *testing.T) {
			s := newSite(t, func(int, string) int { return c.status })
			to := r.target(c.id, plan.Endpoint{URL: s.URL, Retry: c.retry, DeadLetters: dead})
			r.put(to, "", c.id)
			r.advance(time.Hour)
			if n := len(s.all()); n != c.calls {
				t.Errorf("%d calls, want %d", n, c.calls)
			}
			got := r.letters(dead)
			if len(got) != 1 {
				t.Fatalf("%d dead letters", len(got))
			}
			m := got[0]
			a := func(name string) string { return string(m.Attributes[name].Value) }
			if !strings.Contains(string(m.Body), `"id":"`+c.id+`"`) || !strings.Contains(string(m.Body), `"detail-type":`) || a("ERROR_CODE") != c.code || a("EXHAUSTED_RETRY_CONDITION") != c.exhausted || a("RETRY_ATTEMPTS") != c.retries ||
				a("RULE_ARN") != "arn:aws:events:us-east-1:123456789012:rule/orders/big" || a("TARGET_ARN") != s.URL || a("ERROR_MESSAGE") == "" {
				t.Errorf("the letter is %q %v", m.Body, m.Attributes)
			}
			for _, err := range r.Queues().Ack(r.ctx(), queueOf(dead), []string{m.Receipt}) {
				r.must(err)
			}
		})
	}
}

// A dead letter that its queue, or the queue's topic, does not take whole says less.
func TestADeadLetterIsCutToWhatItsQueueTakes(t *testing.T) {
	r := newRig(t)
	dead := r.queue("dead")
	q, err := r.Queues().Update(r.ctx(), queueOf(dead), func(s *queue.Spec) error { s.MaxMessageBytes = 1024; return nil })
	r.must(err)
	s := newSite(t, func(int, string) int { return 400 })
	to := r.target("hook", plan.Endpoint{URL: s.URL, Retry: course.EventBridge(), DeadLetters: dead})
	long, most := strings.Repeat("a", 850), "65000"
	try := func(id, says string, attributes int) {
		t.Helper()
		r.put(to, "", id)
		r.settle()
		got := r.letters(dead)
		if len(got) != 1 {
			t.Fatalf("%d dead letters", len(got))
		}
		m := got[0]
		if !strings.Contains(string(m.Body), says) || len(m.Attributes) != attributes || string(m.Attributes["ERROR_CODE"].Value) != "HTTP_400" {
			t.Errorf("the letter has %d bytes and %d attributes: %.300q", len(m.Body), len(m.Attributes), m.Body)
		}
		for _, err := range r.Queues().Ack(r.ctx(), queueOf(dead), []string{m.Receipt}) {
			r.must(err)
		}
	}
	try(long, `"detail-type":`, 1)
	try(long+long, `"topic":"orders","partition":`, 6)
	_, err = r.Queues().Update(r.ctx(), queueOf(dead), func(s *queue.Spec) error { s.MaxMessageBytes = 1 << 20; return nil })
	r.must(err)
	_, err = kadm.NewClient(r.kafka).AlterTopicConfigs(r.ctx(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &most}}, q.Topic)
	r.must(err)
	var large strings.Builder
	for i := range 3000 { // nothing that a batch makes small
		fmt.Fprintf(&large, "%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	try(large.String(), `"topic":"orders","partition":`, 6)
}

func TestAnAddressThatIsGoneIsDisabled(t *testing.T) {
	r := newRig(t)
	s := newSite(t, func(int, string) int { return http.StatusGone })
	dead := r.queue("dead")
	to := r.target("hook", plan.Endpoint{URL: s.URL, Concurrency: 1, Retry: course.EventBridge(), DeadLetters: dead})
	r.put(to, "", names("e", 5)...)
	r.settle()
	if n := len(s.all()); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	if n := len(r.letters(dead)); n != 5 {
		t.Errorf("%d dead letters, want 5", n)
	}
}

// A token that is not taken any more is fetched anew, once.
func TestAnAuthorizationIsMadeAnewWhenItIsNotTaken(t *testing.T) {
	r := newRig(t)
	s := newSite(t, nil)
	s.status = func(n int, _ string) int {
		if s.got[n-1].header.Get("Authorization") != "Bearer new" {
			return 401
		}
		return 0
	}
	to := r.target("hook", plan.Endpoint{URL: s.URL, Authorize: func(_ context.Context, stale bool) ([]plan.Header, error) {
		if stale {
			return []plan.Header{{Name: "Authorization", Value: "Bearer new"}}, nil
		}
		return []plan.Header{{Name: "Authorization", Value: "Bearer old"}}, nil
	}})
	r.put(to, "", "e-1")
	r.settle()
	found, err := r.svc.Attempts(r.ctx(), delivery.Query{})
	r.must(err)
	if n := len(s.all()); n != 2 || len(found) != 1 || !found[0].OK || found[0].Header["Authorization"] != "***" {
		t.Errorf("%d calls; attempts %+v", n, found)
	}
}

func TestWhatWaitsForATargetThatIsRemovedIsDropped(t *testing.T) {
	r := newRig(t)
	s := newSite(t, func(int, string) int { return 500 })
	to := r.target("hook", plan.Endpoint{URL: s.URL, Retry: slow})
	r.put(to, "", "e-1")
	r.settle()
	r.mu.Lock()
	delete(r.endpoints, to.Key)
	r.mu.Unlock()
	r.svc.Changed(to.Key)
	r.advance(time.Hour)
	if n := len(s.all()); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// A node may be given something for a target that it has not heard of.
func TestATargetThatIsNewsIsNotGone(t *testing.T) {
	r := newRig(t)
	s := newSite(t, nil)
	to := r.target("hook", plan.Endpoint{URL: s.URL})
	r.mu.Lock()
	r.endpoints, r.unheard = map[string]*plan.Endpoint{}, r.endpoints
	r.mu.Unlock()
	r.put(to, "", "e-1")
	r.settle()
	if n := len(s.all()); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// While it cannot be found out whether a target is gone, others are called.
func TestATargetThatIsUnknownHoldsNobody(t *testing.T) {
	r := newRig(t)
	called := make(chan struct{})
	once := sync.OnceFunc(func() { close(called) })
	s := newSite(t, func(int, string) int {
		once()
		return 0
	})
	patient := r.ctx()
	r.ask = func(context.Context) error {
		select {
		case <-called:
			return nil
		case <-patient.Done():
			return patient.Err()
		}
	}
	r.put(&plan.Target{Key: "rule/123456789012/us-east-1/orders/big#7/other", ID: "other"}, "", "e-1")
	var there *plan.Target
	for i := 0; there == nil; i++ { // one in the same partition
		id := fmt.Sprint("there", i)
		if t := r.target(id, plan.Endpoint{URL: s.URL}); record.KeyHash([]byte(t.Key))%delivery.Partitions == record.KeyHash([]byte("rule/123456789012/us-east-1/orders/big#7/other"))%delivery.Partitions {
			there = t
		}
	}
	r.put(there, "", "e-2")
	r.settle()
	if got := s.bodies(); got["e-2"] == 0 || len(got) != 1 {
		t.Errorf("%v came, want e-2", got)
	}
}

// A queue whose topic takes nothing holds its own dead letters, which come when it does.
func TestAQueueThatTakesNothingHoldsItsLettersOnly(t *testing.T) {
	r := newRig(t)
	r.ill = errors.New("it has no leader")
	s := newSite(t, func(_ int, body string) int {
		if body == "bad" {
			return 400
		}
		return 0
	})
	dead := r.queue("dead")
	to := r.target("hook", plan.Endpoint{URL: s.URL, Retry: course.EventBridge(), DeadLetters: dead})
	r.put(to, "", "bad", "good")
	r.settle()
	r.put(to, "", "better")
	r.advance(time.Minute)
	if got := r.letters(dead); len(got) != 0 || len(s.bodies()) != 3 {
		t.Errorf("%d letters, calls of %v", len(got), s.bodies())
	}
	r.mu.Lock()
	r.ill = nil
	r.mu.Unlock()
	r.advance(time.Hour)
	if got := r.letters(dead); len(got) != 1 || !strings.Contains(string(got[0].Body), `"id":"bad"`) {
		t.Errorf("%d letters: %+v", len(got), got)
	}
}

// The newest calls are found, however many there were before, and others by what they
// are asked for.
func TestTheNewestCallsAreFound(t *testing.T) {
	r := newRig(t)
	s := newSite(t, nil)
	to := r.target("hook", plan.Endpoint{URL: s.URL, Concurrency: 50})
	ids := names("e", 700)
	for part := range slices.Chunk(ids, 175) {
		r.put(to, "", part...)
		r.settle()
		r.advance(time.Minute)
	}
	found, err := r.svc.Attempts(r.ctx(), delivery.Query{Most: 100})
	r.must(err)
	if len(found) != 100 || slices.ContainsFunc(found, func(a delivery.Attempt) bool { return a.Event < ids[525] }) {
		t.Errorf("%d found", len(found))
	}
	if found, err = r.svc.Attempts(r.ctx(), delivery.Query{Target: to.Key, Event: ids[3]}); err != nil || len(found) == 0 || found[0].Event != ids[3] {
		t.Errorf("%d found: %v", len(found), err)
	}
}

// A target that does not answer fills its lane, and more; others get theirs, and when
// it is there again it gets everything, in order of its keys, and once.
func TestADeadTargetHoldsNobodyAndLosesNothing(t *testing.T) {
	r := newRig(t)
	up := make(chan struct{})
	bad := newSite(t, func(int, string) int {
		select {
		case <-up:
			return 0
		default:
			return 503
		}
	})
	good := newSite(t, nil)
	dead := r.target("dead", plan.Endpoint{URL: bad.URL, Retry: course.EventBridge(), Ordered: true})
	alive := r.target("alive", plan.Endpoint{URL: good.URL})
	ids := names("d", 1300)
	for part := range slices.Chunk(ids, 500) {
		r.put(dead, "a-key", part...)
		r.put(alive, "", part...)
	}
	r.settle()
	if came := slices.Sorted(maps.Keys(good.bodies())); !slices.Equal(came, slices.Sorted(slices.Values(ids))) {
		t.Errorf("%d came to the other target, want %d", len(came), len(ids))
	}
	r.again()
	r.advance(time.Hour)
	if n := len(bad.all()); n > 60 {
		t.Errorf("a dead target was called %d times within an hour", n)
	}
	before := len(bad.all())
	close(up)
	r.advance(2 * time.Hour)
	var came []string
	for _, g := range bad.all()[before:] {
		came = append(came, g.body)
	}
	if came = firsts(came); !slices.Equal(came, ids) {
		t.Errorf("%d came, want %d in order; the first: %v", len(came), len(ids), came[:min(5, len(came))])
	}
}

// However often the service is cut off, everything comes, under the same ids.
func TestNothingIsLostWhenTheServiceIsCutOff(t *testing.T) {
	r := newRig(t)
	s := newSite(t, func(n int, _ string) int {
		if n%7 == 0 {
			return 500
		}
		return 0
	})
	to := r.target("hook", plan.Endpoint{URL: s.URL, Secrets: []string{secret}, Retry: plan.Retry{Most: -1, WaitsMs: []int64{10}}})
	ids := names("e", 600)
	for part := range slices.Chunk(ids, 60) {
		r.put(to, "", part...)
		r.CutConnections()
		r.again()
	}
	for ctx := r.ctx(); ; {
		settled := r.clock.Advance(ctx, time.Minute)
		if settled == nil && len(s.bodies()) == len(ids) {
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("%d of %d came; settling says %v", len(s.bodies()), len(ids), settled)
		}
	}
	id := map[string]string{}
	for _, g := range s.all() {
		got := g.header.Get(webhook.HeaderID)
		if id[g.body] != "" && id[g.body] != got {
			t.Errorf("%s came as %s and as %s", g.body, id[g.body], got)
		}
		id[g.body] = got
	}
}

// Two that both take themselves for the leader: everything comes, and each dead letter
// is there once, because each fences the other.
func TestTwoRunnersAtOnceWriteEachDeadLetterOnce(t *testing.T) {
	r := newRig(t)
	s := newSite(t, func(_ int, body string) int {
		if body >= "e0050" {
			return 400
		}
		return 0
	})
	dead := r.queue("dead")
	to := r.target("hook", plan.Endpoint{URL: s.URL, Retry: course.EventBridge(), DeadLetters: dead})
	ids := names("e", 100)
	other := r.service()
	for part := range slices.Chunk(ids, 10) {
		r.put(to, "", part...)
		_ = r.svc.Settle(r.ctx()) // what one breaks off the other, or a later life, does
		_ = other.Settle(r.ctx())
	}
	other.Close()
	for ctx := r.ctx(); ; {
		settled := r.svc.Settle(ctx)
		if settled == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("settling says %v", settled)
		}
	}
	if n := len(s.bodies()); n != len(ids) {
		t.Errorf("%d came, want %d", n, len(ids))
	}
	got := map[string]int{}
	for _, m := range r.letters(dead) {
		got[string(m.Attributes["DELIVERY_ID"].Value)]++
	}
	for id, n := range got {
		if n != 1 {
			t.Errorf("the dead letter of %s is there %d times", id, n)
		}
	}
	if len(got) != 50 {
		t.Errorf("%d dead letters, want 50", len(got))
	}
}

// What comes first of a key has room when it is tried again, though what waits behind it
// fills the memory that its target may have.
func TestWhatComesFirstHasRoom(t *testing.T) {
	r := newRig(t)
	s := newSite(t, func(n int, _ string) int {
		if n == 1 {
			return 503
		}
		return 0
	})
	to := r.target("hook", plan.Endpoint{URL: s.URL, Ordered: true, Retry: plan.Retry{Most: -1, WaitsMs: []int64{60_000}}})
	var all []*kgo.Record
	for i := range 10 {
		body := fmt.Appendf(nil, "%d %s", i, make([]byte, 700<<10))
		rec, err := delivery.Record(to, &plan.Event{Doc: []byte("{}"), Topic: "orders", Offset: int64(i)}, plan.Payload{Body: body, Key: []byte("a-key")})
		r.must(err)
		rec.Timestamp = r.clock.Now()
		all = append(all, rec)
	}
	r.must(r.kafka.ProduceSync(r.ctx(), all...).FirstErr())
	r.settle()
	r.advance(2 * time.Minute)
	var came []string
	for _, g := range s.all() {
		came = append(came, g.body[:1])
	}
	if in := strings.Join(firsts(came), ""); in != "0123456789" {
		t.Errorf("what came first is %s", in)
	}
}

// While it cannot be written what came of calls, none is made.
func TestNobodyIsCalledOfWhomNothingCanBeKept(t *testing.T) {
	r := newRig(t)
	s := newSite(t, nil)
	to := r.target("hook", plan.Endpoint{URL: s.URL})
	r.svc.Close()
	_, err := kadm.NewClient(r.kafka).DeleteTopics(r.ctx(), delivery.AttemptsTopic)
	r.must(err)
	r.put(to, "", "e-1")
	r.open()
	if err := r.svc.Settle(r.ctx()); err == nil {
		t.Error("it settled")
	}
	if n := len(s.all()); n != 0 {
		t.Errorf("%d calls, want none", n)
	}
}
