package mapping_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ottla/internal/event/mapping"
	"ottla/internal/event/queue"
)

// sqsEvent is what a function gets of a queue.
type sqsEvent struct {
	Records []struct {
		MessageID  string            `json:"messageId"`
		Receipt    string            `json:"receiptHandle"`
		Body       string            `json:"body"`
		System     map[string]string `json:"attributes"`
		Attributes map[string]struct {
			Text  string `json:"stringValue"`
			Bytes []byte `json:"binaryValue"`
			Type  string `json:"dataType"`
		} `json:"messageAttributes"`
		BodySum string `json:"md5OfBody"`
		Source  string `json:"eventSource"`
		ARN     string `json:"eventSourceARN"`
		Region  string `json:"awsRegion"`
	}
}

func sqsOf(t *testing.T, event []byte) sqsEvent {
	t.Helper()
	var e sqsEvent
	if err := json.Unmarshal(event, &e); err != nil || len(e.Records) == 0 {
		t.Errorf("%s: %v", event, err)
	}
	return e
}

// kafkaEvent is what a function gets of a topic.
type kafkaEvent struct {
	Source  string `json:"eventSource"`
	Servers string `json:"bootstrapServers"`
	Records map[string][]struct {
		Topic     string
		Partition int32
		Offset    int64
		Timestamp int64
		Type      string `json:"timestampType"`
		Key       []byte
		Value     []byte
		Headers   []map[string][]int
	}
}

// values are the values that came from a topic, in the order of calls.
func (r *rig) values(partition string) []string {
	r.Helper()
	var out []string
	for _, event := range r.bill.all() {
		if !strings.Contains(string(event), `"aws:SelfManagedKafka"`) {
			continue // of a queue
		}
		var e kafkaEvent
		r.must(json.Unmarshal(event, &e))
		for _, rec := range e.Records[partition] {
			out = append(out, string(rec.Value))
		}
	}
	return out
}

// empty tells whether nothing is left in a queue.
func (r *rig) empty(q queue.Ref) bool {
	s, err := r.Queues().Stats(r.ctx(), q)
	r.must(err)
	return s.Waiting+s.InFlight+s.Delayed == 0
}

func TestAFunctionTakesTheMessagesOfAQueue(t *testing.T) {
	r := newRig(t)
	q := r.queue("orders", queue.DefaultSpec())
	r.send(q, queue.Message{Body: []byte("hello"), DelayMs: -1, Attributes: map[string]queue.Attribute{
		"colour": {Type: "String", Value: []byte("red")}, "raw": {Type: "Binary", Value: []byte{0, 255}},
	}})
	r.put("orders-bill", mapping.Spec{Source: "queue:orders", Function: "bill"})
	r.until("the message is taken", func() bool { return len(r.bill.all()) > 0 && r.empty(q) })
	got := sqsOf(t, r.bill.all()[0]).Records[0]
	if got.Body != "hello" || got.BodySum != "5d41402abc4b2a76b9719d911017c592" || got.Source != "aws:sqs" || got.ARN != "arn:aws:sqs:us-east-1:123456789012:orders" ||
		got.Region != "us-east-1" || got.MessageID == "" || got.Receipt == "" || got.System["ApproximateReceiveCount"] != "1" || got.System["SentTimestamp"] == "" {
		t.Errorf("it got %+v", got)
	}
	if a := got.Attributes; a["colour"].Text != "red" || a["colour"].Type != "String" || string(a["raw"].Bytes) != "\x00\xff" || a["raw"].Type != "Binary" {
		t.Errorf("its attributes are %+v", a)
	}
}

// What a function reports comes again, what it did not report does not; what fails too
// often is a dead letter of the queue's.
func TestWhatFailedComesAgainAndIsADeadLetterInTheEnd(t *testing.T) {
	r := newRig(t)
	dead := r.queue("dead", queue.DefaultSpec())
	spec := queue.DefaultSpec()
	spec.VisibilityMs, spec.DeadLetter = 0, &queue.DeadLetter{Queue: dead, MaxReceives: 3}
	q := r.queue("orders", spec)
	r.bill.answer = func(_ int, event []byte) (int, string) {
		var failed []string
		for _, m := range sqsOf(t, event).Records {
			if m.Body == "m1" {
				failed = append(failed, fmt.Sprintf(`{"itemIdentifier":%q}`, m.MessageID))
			}
		}
		return http.StatusOK, `{"batchItemFailures":[` + strings.Join(failed, ",") + `]}`
	}
	r.send(q, bodies("m", 3)...)
	r.put("orders-bill", mapping.Spec{Source: "queue:orders", Function: "bill", ReportFailures: true, Concurrency: 1})
	r.until("all is taken or dead", func() bool { return r.empty(q) && !r.empty(dead) })
	times := map[string]int{}
	for _, event := range r.bill.all() {
		for _, m := range sqsOf(t, event).Records {
			times[m.Body]++
		}
	}
	if !maps.Equal(times, map[string]int{"m0": 1, "m1": 3, "m2": 1}) {
		t.Errorf("they came %v times", times)
	}
}

func TestABatchOfAQueueWaitsForOthers(t *testing.T) {
	r := newRig(t)
	q := r.queue("orders", queue.DefaultSpec())
	r.put("orders-bill", mapping.Spec{Source: "queue:orders", Function: "bill", Batch: 4, WindowMs: mapping.MostWindowMs, Concurrency: 1})
	for _, m := range bodies("m", 8) {
		r.send(q, m)
	}
	r.until("all is taken", func() bool { return r.empty(q) })
	for _, event := range r.bill.all() {
		if n := len(sqsOf(t, event).Records); n != 4 {
			t.Errorf("a call has %d messages, want 4", n)
		}
	}
}

func TestAFunctionTakesTheRecordsOfATopicInOrder(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 2)
	r.write("orders", 0, "before")
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", Batch: 3})
	r.write("orders", 0, "a", "b", "c", "d")
	r.write("orders", 1, "x")
	r.until("all is committed", func() bool {
		return maps.Equal(r.committed(m.Group, "orders"), map[int32]int64{0: 5, 1: 1})
	})
	if got := r.values("orders-0"); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("of the first partition came %v", got)
	}
	if got := r.values("orders-1"); !slices.Equal(got, []string{"x"}) {
		t.Errorf("of the second partition came %v", got)
	}
	var e kafkaEvent
	for _, event := range r.bill.all() {
		if strings.Contains(string(event), "orders-1") {
			r.must(json.Unmarshal(event, &e))
		}
	}
	rec := e.Records["orders-1"][0]
	if e.Source != "aws:SelfManagedKafka" || e.Servers == "" || rec.Topic != "orders" || rec.Partition != 1 || rec.Offset != 0 || rec.Timestamp == 0 || rec.Type != "CREATE_TIME" ||
		string(rec.Key) != "k" || len(rec.Headers) != 1 || !slices.Equal(rec.Headers[0]["h"], []int{1, -56}) {
		t.Errorf("it got %+v", e)
	}

	r.topicGrows("orders", 3)
	r.write("orders", 2, "new")
	r.until("the new partition is read", func() bool { return slices.Equal(r.values("orders-2"), []string{"new"}) })
}

// A batch is halved until the record is found that is to blame, which becomes a dead
// letter; others are taken.
func TestOneBadRecordOfATopicIsADeadLetter(t *testing.T) {
	r := newRig(t)
	dead := r.queue("dead", queue.DefaultSpec())
	r.topic("orders", 1)
	r.bill.answer = func(_ int, event []byte) (int, string) {
		var e kafkaEvent
		if err := json.Unmarshal(event, &e); err != nil {
			t.Error(err)
		}
		for _, rec := range e.Records["orders-0"] {
			if string(rec.Value) == "bad" {
				return http.StatusInternalServerError, "no use"
			}
		}
		return http.StatusOK, ""
	}
	once := 1
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", From: mapping.Earliest, Bisect: true, Retries: &once, DeadLetters: "queue:dead"})
	r.write("orders", 0, "a", "b", "bad", "c", "d")
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 5 })
	got, err := r.Queues().Take(r.ctx(), dead, queue.TakeOptions{Max: 10, WaitMs: -1, VisibilityMs: -1})
	r.must(err)
	if len(got) != 1 || string(got[0].Body) != "bad" {
		t.Fatalf("the dead letters are %+v", got)
	}
	a := func(called string) string { return string(got[0].Attributes[called].Value) }
	if a("ERROR_CODE") != "FUNCTION_FAILED" || !strings.Contains(a("ERROR_MESSAGE"), "no use") || a("RETRY_ATTEMPTS") != "1" || a("SOURCE") != "orders-0" || a("SOURCE_OFFSET") != "2" ||
		a("SOURCE_KEY") != "k" || a("EXHAUSTED_RETRY_CONDITION") != "RetryAttemptsExhausted" || a("FUNCTION") != "bill" {
		t.Errorf("it says %+v", got[0].Attributes)
	}
	taken := map[string]bool{}
	for _, v := range r.values("orders-0") {
		taken[v] = true
	}
	if len(taken) != 5 {
		t.Errorf("what came is %v", taken)
	}
}

// From the first record that a function reports on all comes again, and nothing before.
func TestRecordsBehindTheOneThatFailedComeAgain(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	r.write("orders", 0, "a", "b", "c", "d")
	r.bill.answer = func(n int, _ []byte) (int, string) {
		if n == 1 {
			return http.StatusOK, `{"batchItemFailures":[{"itemIdentifier":{"topic-partition":"orders-0","offset":3}},{"itemIdentifier":{"topic-partition":"orders-0","offset":2}}]}`
		}
		return http.StatusOK, `{"batchItemFailures":[]}`
	}
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", From: mapping.Earliest, ReportFailures: true})
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 4 })
	if got := r.values("orders-0"); !slices.Equal(got, []string{"a", "b", "c", "d", "c", "d"}) {
		t.Errorf("what came is %v", got)
	}
}

// When the attempts are over, what the function reported is given up, and nothing behind it
// that it has not seen.
func TestOnlyTheRecordThatIsReportedIsGivenUp(t *testing.T) {
	r := newRig(t)
	dead := r.queue("dead", queue.DefaultSpec())
	r.topic("orders", 1)
	r.write("orders", 0, "a", "b", "c", "d")
	r.bill.answer = func(_ int, event []byte) (int, string) {
		if strings.Contains(string(event), `"offset":1,`) {
			return http.StatusOK, `{"batchItemFailures":[{"itemIdentifier":{"partition":"orders-0","offset":1}}]}`
		}
		return http.StatusOK, ""
	}
	none := 0
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", From: mapping.Earliest, ReportFailures: true, Retries: &none, DeadLetters: "queue:dead"})
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 4 })
	if got := r.values("orders-0"); !slices.Equal(got, []string{"a", "b", "c", "d", "c", "d"}) {
		t.Errorf("what came is %v", got)
	}
	if got := r.bodies(dead); !slices.Equal(got, []string{"b"}) {
		t.Errorf("the dead letters are %v", got)
	}
}

// A batch that the function refuses for good is halved until the record is found that is
// to blame, also where nobody has asked for that.
func TestOneRecordThatIsRefusedIsADeadLetter(t *testing.T) {
	r := newRig(t)
	dead := r.queue("dead", queue.DefaultSpec())
	r.topic("orders", 1)
	r.write("orders", 0, "a", "b", "c", "d")
	r.bill.answer = func(_ int, event []byte) (int, string) {
		if strings.Contains(string(event), `"offset":1,`) {
			return http.StatusBadRequest, "no use"
		}
		return http.StatusOK, ""
	}
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", From: mapping.Earliest, DeadLetters: "queue:dead"})
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 4 })
	if got := r.bodies(dead); !slices.Equal(got, []string{"b"}) {
		t.Errorf("the dead letters are %v", got)
	}
}

// bodies are what messages of a queue say.
func (r *rig) bodies(of queue.Ref) (out []string) {
	r.Helper()
	got, err := r.Queues().Take(r.ctx(), of, queue.TakeOptions{Max: 10, WaitMs: -1, VisibilityMs: -1})
	r.must(err)
	for _, m := range got {
		out = append(out, string(m.Body))
	}
	return out
}

// What is too old is passed over, and told.
func TestRecordsThatAreTooOldAreGivenUp(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	r.write("orders", 0, "old")
	r.must(r.clock.Advance(r.ctx(), 2*60_000_000_000))
	r.write("orders", 0, "new")
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", From: mapping.Earliest, MaxAgeMs: 60_000})
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 2 })
	if got := r.values("orders-0"); !slices.Equal(got, []string{"new"}) {
		t.Errorf("what came is %v", got)
	}
}

// A node that ends goes on where it was: everything comes, from the queue and from the
// topic, and nothing that was done long before comes again.
func TestAMappingGoesOnAfterARestart(t *testing.T) {
	r := newRig(t)
	q := r.queue("jobs", queue.DefaultSpec())
	r.topic("orders", 1)
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill"})
	r.put("jobs-bill", mapping.Spec{Source: "queue:jobs", Function: "bill"})
	r.write("orders", 0, "a")
	r.until("the first is committed", func() bool { return r.committed(m.Group, "orders")[0] == 1 })
	for i := range 3 {
		r.write("orders", 0, "b"+strconv.Itoa(i))
		r.send(q, bodies("m", 2)...)
		r.stop()
		r.start()
	}
	r.write("orders", 0, "c")
	r.until("all is taken", func() bool { return r.committed(m.Group, "orders")[0] == 5 && r.empty(q) })
	got := r.values("orders-0")
	if slices.Sort(got); !slices.Equal(slices.Compact(got), []string{"a", "b0", "b1", "b2", "c"}) || slices.Index(got, "a") != 0 || got[1] == "a" {
		t.Errorf("what came is %v", got)
	}
}

func TestAMappingThatIsPausedTakesNothing(t *testing.T) {
	r := newRig(t)
	q := r.queue("orders", queue.DefaultSpec())
	r.put("orders-bill", mapping.Spec{Source: "queue:orders", Function: "bill", Paused: true})
	r.send(q, bodies("m", 1)...)
	if s := r.Mappings().Standing(ref("orders-bill")); s.Here {
		t.Errorf("it is carried out: %+v", s)
	}
	_, err := r.Mappings().Pause(r.ctx(), ref("orders-bill"), false)
	r.must(err)
	r.until("it is taken", func() bool { return r.empty(q) })
	if n := len(r.bill.all()); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	r.must(r.Mappings().Delete(r.ctx(), ref("orders-bill")))
	r.until("it has ended", func() bool { return !r.Mappings().Standing(ref("orders-bill")).Here })
	if _, err := r.Mappings().Get(r.ctx(), ref("orders-bill")); !errors.Is(err, mapping.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
}

func TestWhatIsNoMapping(t *testing.T) {
	r := newRig(t)
	r.queue("jobs", queue.DefaultSpec())
	r.topic("orders", 1)
	two := -2
	for what, spec := range map[string]mapping.Spec{
		"no source":            {Function: "bill"},
		"another source":       {Source: "bus:x", Function: "bill"},
		"no such queue":        {Source: "queue:none", Function: "bill"},
		"no such topic":        {Source: "topic:none", Function: "bill"},
		"an internal topic":    {Source: "topic:__ottla_objects", Function: "bill"},
		"no such function":     {Source: "queue:jobs", Function: "pay"},
		"too large a batch":    {Source: "queue:jobs", Function: "bill", Batch: mapping.MostBatch + 1},
		"too long a window":    {Source: "queue:jobs", Function: "bill", WindowMs: mapping.MostWindowMs + 1},
		"bisect of a queue":    {Source: "queue:jobs", Function: "bill", Bisect: true},
		"max age of a queue":   {Source: "queue:jobs", Function: "bill", MaxAgeMs: 60_000},
		"from of a queue":      {Source: "queue:jobs", Function: "bill", From: mapping.Latest},
		"letters of a queue":   {Source: "queue:jobs", Function: "bill", DeadLetters: "queue:jobs"},
		"concurrency of topic": {Source: "topic:orders", Function: "bill", Concurrency: 2},
		"retries":              {Source: "topic:orders", Function: "bill", Retries: &two},
		"another beginning":    {Source: "topic:orders", Function: "bill", From: "yesterday"},
		"a time before 1970":   {Source: "topic:orders", Function: "bill", From: "1969-12-31T23:59:59.999Z"},
		"letters nowhere":      {Source: "topic:orders", Function: "bill", DeadLetters: "queue:none"},
		"letters to a topic":   {Source: "topic:orders", Function: "bill", DeadLetters: "topic:orders"},
		"a filter of no use":   {Source: "queue:jobs", Function: "bill", Filters: []string{`{"body":[{"nummeric":[1]}]}`}},
		"a large filter":       {Source: "queue:jobs", Function: "bill", Filters: []string{`{"body":["` + strings.Repeat("x", 4096) + `"]}`}},
		"too many filters":     {Source: "topic:orders", Function: "bill", Filters: slices.Repeat([]string{`{"value":["x"]}`}, mapping.MostFilters+1)},
		"too young an age":     {Source: "topic:orders", Function: "bill", MaxAgeMs: 1},
	} {
		if _, _, err := r.Mappings().Put(r.ctx(), ref("m"), spec); !errors.Is(err, mapping.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r.put("m", mapping.Spec{Source: "queue:jobs", Function: "bill"})
	if _, _, err := r.Mappings().Put(r.ctx(), ref("m"), mapping.Spec{Source: "topic:orders", Function: "bill"}); !errors.Is(err, mapping.ErrInvalid) {
		t.Errorf("another source: %v", err)
	}
	if m, created, err := r.Mappings().Put(r.ctx(), ref("m"), mapping.Spec{Function: "bill", Batch: 7}); err != nil || created || m.Batch != 7 || m.Source != "queue:jobs" {
		t.Errorf("a change: %+v, %v, %v", m, created, err)
	}
}

// No two mappings of a topic have one group: each would commit over the other. One of
// another region has a group of its own.
func TestAGroupIsOfOneMappingOfATopic(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	r.topic("clicks", 1)
	spec := mapping.Spec{Source: "topic:orders", Function: "bill", Group: "mine"}
	r.put("a", spec)
	if _, _, err := r.Mappings().Put(r.ctx(), ref("b"), spec); !errors.Is(err, mapping.ErrInvalid) || !strings.Contains(err.Error(), "function-mapping a takes") {
		t.Errorf("a second one: %v", err)
	}
	r.put("a", spec)
	r.put("b", mapping.Spec{Source: "topic:clicks", Function: "bill", Group: "mine"})
	there := ref("c")
	there.Region = "eu-west-1"
	spec.Group = ""
	m, _, err := r.Mappings().Put(r.ctx(), there, spec)
	r.must(err)
	if here := r.put("c", spec); here.Group != "function.c" || m.Group != "function.123456789012.eu-west-1.c" {
		t.Errorf("their groups are %s and %s", here.Group, m.Group)
	}
}

// What comes while a mapping of a topic rests waits for it.
func TestAMappingThatWasPausedGoesOnWhereItWas(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	r.write("orders", 0, "before")
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", Paused: true})
	r.write("orders", 0, "a", "b")
	if _, err := r.Mappings().Update(r.ctx(), ref("orders-bill"), func(s *mapping.Spec) error {
		s.Paused, s.Batch = false, 1
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 3 })
	if got := r.values("orders-0"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("what came is %v", got)
	}
	if _, err := r.Mappings().Update(r.ctx(), ref("orders-bill"), func(s *mapping.Spec) error {
		s.Group = "another"
		return nil
	}); !errors.Is(err, mapping.ErrInvalid) {
		t.Errorf("another group: %v", err)
	}
}
