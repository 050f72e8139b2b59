package mapping_test

import (
	"slices"
	"strings"
	"testing"

	"ottla/internal/event/mapping"
	"ottla/internal/event/queue"
)

// bodiesOf are the bodies that came from queues, in the order of calls.
func (r *rig) bodiesOf() (out []string) {
	r.Helper()
	for _, event := range r.bill.all() {
		for _, m := range sqsOf(r.T, event).Records {
			out = append(out, m.Body)
		}
	}
	return out
}

// Messages that fit no filter are deleted, and never come to the function.
func TestMessagesThatFitNoFilterAreDeleted(t *testing.T) {
	r := newRig(t)
	q := r.queue("orders", queue.DefaultSpec())
	red := map[string]queue.Attribute{"colour": {Type: "String", Value: []byte("red")}}
	for _, body := range []string{`{"total":50}`, `{"total":100}`, "100", "plain", "other", ` ["a","b"]`, `{"broken":`, "\xff\xfe", `"plain"`} {
		r.send(q, queue.Message{Body: []byte(body), DelayMs: -1})
	}
	r.send(q, queue.Message{Body: []byte("coloured"), DelayMs: -1, Attributes: red})
	r.put("orders-bill", mapping.Spec{Source: "queue:orders", Function: "bill", Concurrency: 1, Filters: []string{
		`{"body":{"total":[{"numeric":[">=",100]}]}}`, `{"body":["plain","a",{"prefix":"{\"bro"}]}`, `{"messageAttributes":{"colour":{"stringValue":["red"]}}}`,
	}})
	r.until("all is taken", func() bool { return r.empty(q) })
	got := r.bodiesOf()
	slices.Sort(got)
	if want := []string{` ["a","b"]`, "coloured", "plain", `{"broken":`, `{"total":100}`}; !slices.Equal(got, want) {
		t.Errorf("what came is %q, want %q", got, want)
	}
}

// A batch is filled with messages that fit.
func TestABatchIsOfMessagesThatFit(t *testing.T) {
	r := newRig(t)
	q := r.queue("orders", queue.DefaultSpec())
	r.put("orders-bill", mapping.Spec{Source: "queue:orders", Function: "bill", Batch: 4, WindowMs: mapping.MostWindowMs, Concurrency: 1, Filters: []string{`{"body":[{"prefix":"m"}]}`}})
	for range 4 {
		r.send(q, bodies("x", 3)...)
		r.send(q, bodies("m", 1)...)
	}
	r.until("all is taken", func() bool { return r.empty(q) })
	for _, event := range r.bill.all() {
		if n := len(sqsOf(t, event).Records); n != 4 {
			t.Errorf("a call has %d messages, want 4", n)
		}
	}
}

// Records that fit no filter are passed over, also those at the end, and what fits comes in
// order.
func TestRecordsThatFitNoFilterArePassedOver(t *testing.T) {
	r := newRig(t)
	r.topic("orders", 1)
	r.write("orders", 0, "x", `{"n":1}`, `{"n":9}`, "y", `{"n":2}`, "\xff", "z")
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", From: mapping.Earliest, Filters: []string{`{"value":{"n":[1,2]}}`}})
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 7 })
	if got := r.values("orders-0"); !slices.Equal(got, []string{`{"n":1}`, `{"n":2}`}) {
		t.Errorf("what came is %q", got)
	}
	m, err := r.Mappings().Update(r.ctx(), m.Ref, func(s *mapping.Spec) error {
		s.Filters = []string{`{"key":["k"],"partition":[0],"offset":[8],"headers":{"h":["Acg="]}}`}
		return nil
	})
	r.must(err)
	r.write("orders", 0, "not", "this", "nor")
	r.until("all is committed", func() bool { return r.committed(m.Group, "orders")[0] == 10 })
	if got := r.values("orders-0"); !slices.Equal(got[2:], []string{"this"}) {
		t.Errorf("by key, offset and header came %q", got[2:])
	}
}

// What fits the filters that are put in the place of others comes, when it is sent after
// that was answered, whatever is still going on by those that were.
func TestFiltersThatWereChangedHold(t *testing.T) {
	r := newRig(t)
	q := r.queue("jobs", queue.DefaultSpec())
	r.topic("orders", 1)
	r.put("jobs-bill", mapping.Spec{Source: "queue:jobs", Function: "bill", Filters: []string{`{"body":["none"]}`}})
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", Filters: []string{`{"value":["none"]}`}})
	for i := range 20 {
		now := string(rune('a' + i))
		for _, called := range []string{"jobs-bill", "orders-bill"} {
			_, err := r.Mappings().Update(r.ctx(), ref(called), func(s *mapping.Spec) error {
				s.Filters = []string{`{"body":["` + now + `"]}`, `{"value":["` + now + `"]}`}
				return nil
			})
			r.must(err)
		}
		r.write("orders", 0, now)
		r.send(q, queue.Message{Body: []byte(now), DelayMs: -1})
		r.until(now+" came", func() bool {
			return r.empty(q) && r.committed(m.Group, "orders")[0] == int64(i+1)
		})
	}
	want := strings.Split("abcdefghijklmnopqrst", "")
	if got := r.values("orders-0"); !slices.Equal(got, want) {
		t.Errorf("of the topic came %q", got)
	}
	var got []string
	for _, event := range r.bill.all() {
		if !strings.Contains(string(event), "SelfManagedKafka") {
			for _, m := range sqsOf(t, event).Records {
				got = append(got, m.Body)
			}
		}
	}
	if slices.Sort(got); !slices.Equal(slices.Compact(got), want) {
		t.Errorf("of the queue came %q", got)
	}
}
