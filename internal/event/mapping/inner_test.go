package mapping

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/outbound"
	"ottla/internal/event/queue"
	"ottla/internal/metric"
)

// around is what a runner has around it: functions that answer as they are told, and
// queues that note what they get.
type around struct {
	Queues

	answer           outbound.Answer
	refuse           func(round int, m *queue.Message) error // a message that is sent; nil takes all
	rounds           [][]queue.Message
	hurried, bounded bool // the last wait for a seat, and the last call, had an end

	acked  []string
	nacked []queue.Nack
	held   chan []queue.Extension // what is leased again
}

// unwatched are objects of which nothing is heard, but which are listed.
type unwatched struct {
	Objects
	all []object.Object
}

func (u unwatched) List(context.Context, name.Ref, string, int) ([]object.Object, string, error) {
	return u.all, "", nil
}

func (unwatched) Watch(name.Ref, func(object.News)) func() { return func() {} }

func (a *around) Has(string) bool { return true }

func (a *around) Seats(string) int { return 10 }

func (a *around) Seat(waiting context.Context, _ string) (func(context.Context, []byte) outbound.Answer, error) {
	_, a.hurried = waiting.Deadline()
	return func(call context.Context, _ []byte) outbound.Answer {
		_, a.bounded = call.Deadline()
		return a.answer
	}, nil
}

func (a *around) Ack(_ context.Context, _ queue.Ref, receipts []string) []error {
	a.acked = append(a.acked, receipts...)
	return nil
}

func (a *around) Extend(_ context.Context, _ queue.Ref, extensions []queue.Extension) []error {
	a.held <- extensions
	return nil
}

func (a *around) Nack(_ context.Context, _ queue.Ref, nacks []queue.Nack) []error {
	a.nacked = append(a.nacked, nacks...)
	return nil
}

func (a *around) Send(_ context.Context, _ queue.Ref, messages []queue.Message) ([]queue.Sent, error) {
	a.rounds = append(a.rounds, messages)
	out := make([]queue.Sent, len(messages))
	for i := range messages {
		if a.refuse != nil {
			out[i].Err = a.refuse(len(a.rounds), &messages[i])
		}
	}
	return out, nil
}

// runner makes one of a mapping, which does nothing by itself.
func (a *around) runner(t *testing.T, spec Spec) *runner {
	t.Helper()
	s := New(Options{Objects: unwatched{}, Queues: a, Functions: a, Address: func() string { return "" }, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Metrics: metric.New()})
	t.Cleanup(s.Close)
	m := &Mapping{Ref: name.Of(name.Mapping, "m"), Spec: spec}
	m.Function = "bill"
	m.fill(m.Ref)
	return newRunner(s, m)
}

// A function that says itself what failed of a batch is not left alone for a while: only
// one that fails, or takes nothing of it, is.
func TestAFunctionThatReportsSomeOfABatchIsWell(t *testing.T) {
	b := &taken{messages: []queue.Taken{{ID: "a", Receipt: "ra"}, {ID: "b", Receipt: "rb"}}, at: time.Now()}
	reported := func(ids string) outbound.Answer {
		return outbound.Answer{Status: http.StatusOK, Body: fmt.Appendf(nil, `{"batchItemFailures":[%s]}`, ids)}
	}
	for _, c := range []struct {
		what   string
		answer outbound.Answer
		well   bool
		acked  int
	}{
		{"it takes all", reported(""), true, 2},
		{"it reports one", reported(`{"itemIdentifier":"b"}`), true, 1},
		{"it reports all", reported(`{"itemIdentifier":"a"},{"itemIdentifier":"b"}`), false, 0},
		{"it reports what it did not get", reported(`{"itemIdentifier":"c"}`), false, 0},
		{"it fails", outbound.Answer{Err: errors.New("no use")}, false, 0},
	} {
		a := &around{answer: c.answer}
		r := a.runner(t, Spec{Source: "queue:jobs", ReportFailures: true})
		if well := r.deliver(queue.Ref{Name: "jobs"}, b); well != c.well || len(a.acked) != c.acked || len(a.nacked) != 2-c.acked {
			t.Errorf("%s: well is %v, %d messages were taken, and %d given back", c.what, well, len(a.acked), len(a.nacked))
		}
	}
}

// Messages are leased again while their call lasts, before their lease is over, so that
// the lease itself may be short.
func TestMessagesAreHeldWhileTheirCallLasts(t *testing.T) {
	a := &around{held: make(chan []queue.Extension)}
	r := a.runner(t, Spec{Source: "queue:jobs"})
	release := r.hold(queue.Ref{Name: "jobs"}, &taken{messages: []queue.Taken{{Receipt: "ra"}, {Receipt: "rb"}}, at: time.Now().Add(-leaseMs * time.Millisecond), leasedMs: leaseMs})
	select {
	case got := <-a.held:
		if want := []queue.Extension{{Receipt: "ra", ForMs: leaseMs}, {Receipt: "rb", ForMs: leaseMs}}; !reflect.DeepEqual(got, want) {
			t.Errorf("they are held as %v", got)
		}
	case <-time.After(2 * time.Minute):
		t.Error("they are not held")
	}
	release()
}

// records lie in partition 0 of a topic, from offset 0 on.
func records(values ...string) []*kgo.Record {
	var out []*kgo.Record
	for i, v := range values {
		out = append(out, &kgo.Record{Topic: "orders", Offset: int64(i), Value: []byte(v)})
	}
	return out
}

// lettered are the bodies of the dead letters of a round.
func (a *around) lettered() (rounds [][]string) {
	for _, sent := range a.rounds {
		var round []string
		for i := range sent {
			round = append(round, string(sent[i].Body))
		}
		rounds = append(rounds, round)
	}
	return rounds
}

// Only dead letters that could not be written are written again.
func TestDeadLettersThatWereWrittenAreNotWrittenAgain(t *testing.T) {
	a := &around{refuse: func(round int, m *queue.Message) error {
		if round == 1 && string(m.Body) == "b" {
			return queue.ErrUnavailable
		}
		return nil
	}}
	p := &partition{r: a.runner(t, Spec{Source: "topic:orders", DeadLetters: "queue:dead"}), topic: "orders"}
	p.task.s = p.r.s
	if !p.bury(records("a", "b", "c"), failure{code: "X"}) || !reflect.DeepEqual(a.lettered(), [][]string{{"a", "b", "c"}, {"b"}}) {
		t.Errorf("what was written is %v", a.lettered())
	}
	if n := p.r.s.count.lettered.Value(); n != 3 {
		t.Errorf("%d dead letters are counted", n)
	}
}

// Records wait until the function may be called, which is no attempt; the deadline is the
// call's. Of a queue no more is taken than the function may be called with at once.
func TestWaitingForAFunctionIsNoAttempt(t *testing.T) {
	a := &around{answer: outbound.Answer{Status: http.StatusOK}}
	p := &partition{r: a.runner(t, Spec{Source: "topic:orders"}), topic: "orders"}
	if f, n := p.try(records("a", "b")); n != 2 || a.hurried || !a.bounded {
		t.Errorf("%d records were taken (%s); waiting had an end: %v, the call: %v", n, f.why, a.hurried, a.bounded)
	}
	for declared, want := range map[int]int{1: 1, 10: 10, 11: 10, 1000: 10} {
		if got := a.runner(t, Spec{Source: "queue:jobs", Concurrency: declared}).atOnce(); got != want {
			t.Errorf("of %d calls at once %d are made, want %d", declared, got, want)
		}
	}
	b := &taken{messages: []queue.Taken{{ID: "a", Receipt: "ra"}}, at: time.Now(), leasedMs: leaseMs}
	if r := a.runner(t, Spec{Source: "queue:jobs"}); !r.deliver(queue.Ref{Name: "jobs"}, b) || a.hurried || !a.bounded {
		t.Errorf("of a queue: waiting had an end: %v, the call: %v", a.hurried, a.bounded)
	}
}

// A record that leaves no room for what is said of it, or is too large for its dead-letter
// queue, is a dead letter all the same.
func TestADeadLetterFitsItsQueue(t *testing.T) {
	size := func(m *queue.Message) int {
		n := len(m.Body)
		for called, a := range m.Attributes {
			n += len(called) + len(a.Type) + len(a.Value)
		}
		return n
	}
	for _, c := range []struct {
		most, rounds, attributes int
		body                     string
	}{
		{4000, 1, 7, "x"}, {1200, 2, 3, "x"}, {900, 3, 3, "{}"}, {1, 3, 3, "{}"},
	} {
		a := &around{refuse: func(_ int, m *queue.Message) error {
			if n := size(m); n > c.most {
				return fmt.Errorf("%w: %d bytes", queue.ErrTooLarge, n)
			}
			return nil
		}}
		p := &partition{r: a.runner(t, Spec{Source: "topic:orders", DeadLetters: "queue:dead"}), topic: "orders"}
		if !p.bury(records(strings.Repeat("x", 1000)), failure{code: "X", why: strings.Repeat("ill ", 200), exhausted: exhaustedAge}) || len(a.rounds) != c.rounds {
			t.Errorf("%d bytes: it was written in %d rounds, want %d", c.most, len(a.rounds), c.rounds)
			continue
		}
		got := a.rounds[c.rounds-1][0]
		if !strings.HasPrefix(string(got.Body), c.body) || len(got.Attributes) != c.attributes || string(got.Attributes["SOURCE_OFFSET"].Value) != "0" {
			t.Errorf("%d bytes: it has %d bytes, and says %v", c.most, len(got.Body), got.Attributes)
		}
		if lost := p.r.s.count.dropped.Value(); (lost == 1) != (c.most == 1) {
			t.Errorf("%d bytes: %d records are passed over", c.most, lost)
		}
	}
}

// A call is bounded by all that records have, not by their values alone.
func TestACallIsFullOfWhateverRecordsHave(t *testing.T) {
	large := make([]byte, mostBytes/2)
	for what, rec := range map[string]*kgo.Record{
		"values": {Value: large}, "keys": {Key: large}, "headers": {Headers: []kgo.RecordHeader{{Key: "h", Value: large[:len(large)/headerByte]}}},
		"names of headers": {Headers: []kgo.RecordHeader{{Key: string(large)}}},
	} {
		p := &partition{r: new(around).runner(t, Spec{Source: "topic:orders"}), pending: []*kgo.Record{rec, rec, rec, rec}}
		if n, full := p.cut(); !full || n > 2 {
			t.Errorf("of large %s a call has %d, and is full: %v", what, n, full)
		}
	}
}

// Offsets are renewed by whichever clock is ahead.
func TestOffsetsAreRenewedAlsoWhenTheClockIsMoved(t *testing.T) {
	r := new(around).runner(t, Spec{Source: "topic:orders"})
	ahead := time.Duration(0)
	r.s.o.Now = func() time.Time { return time.Unix(0, 0).Add(ahead) }
	at := r.s.moment()
	if r.s.past(at, renewEvery) {
		t.Error("they are renewed at once")
	}
	if ahead = renewEvery; !r.s.past(at, renewEvery) {
		t.Error("they are not renewed when the clock was moved")
	}
	if !r.s.past(moment{domain: r.s.o.Now()}, renewEvery) {
		t.Error("they are not renewed when it is time")
	}
}

// One mapping that this version cannot read does not hide the others.
func TestMappingsThatCanBeReadAreListed(t *testing.T) {
	s := new(around).runner(t, Spec{Source: "topic:orders"}).s
	s.o.Objects = unwatched{all: []object.Object{{Ref: name.Of(name.Mapping, "a"), Spec: []byte(`{"batch":"many"}`)}, {Ref: name.Of(name.Mapping, "b"), Spec: []byte(`{}`)}}}
	all, _, err := s.List(t.Context(), name.Ref{Kind: name.Mapping}, "", 10)
	if err != nil || len(all) != 1 || all[0].Ref.Name != "b" {
		t.Errorf("there are %v, %v", all, err)
	}
}

// What retention takes before a function got it is told.
func TestRecordsThatAreGoneAreTold(t *testing.T) {
	said := &bytes.Buffer{}
	p := &partition{r: new(around).runner(t, Spec{Source: "topic:orders"}), topic: "orders"}
	p.r.s.o.Logger = slog.New(slog.NewTextHandler(said, nil))
	p.moved(5, 9)
	if text := said.String(); !strings.Contains(text, "deleted before a function got them") || !strings.Contains(text, "from_offset=5 to_offset=9") {
		t.Errorf("it says %s", text)
	}
	if p.moved(9, 5); !strings.Contains(said.String(), "lost its end") {
		t.Errorf("it says %s", said)
	}
}
