package run

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/event/run/course"
)

// small is a queue that takes so many bytes of body and attributes.
type small int

func (s small) Records(_ context.Context, _ queue.Ref, messages []queue.Message) ([]*kgo.Record, error) {
	rec := &kgo.Record{Topic: "dead", Value: messages[0].Body}
	n := len(rec.Value)
	for _, key := range []string{"ERROR_CODE", "ERROR_MESSAGE"} {
		if a, ok := messages[0].Attributes[key]; ok {
			rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: key, Value: a.Value})
			n += len(key) + len(a.Value)
		}
	}
	if n > int(s) {
		return nil, queue.ErrTooLarge
	}
	return []*kgo.Record{rec}, nil
}

func (small) Send(context.Context, queue.Ref, []queue.Message) ([]queue.Sent, error) { return nil, nil }

// deciding is a walk with one target, whose topic takes everything.
func deciding(g *plan.Target, q Queues) *walk {
	g.Key, g.To, g.DeadLetters = "t", plan.Place{Kind: plan.Topic, Topic: "out"}, name.Of(name.Queue, "dead")
	s := &Service{o: Options{Logger: slog.New(slog.DiscardHandler), Queues: q, Now: func() time.Time { return time.UnixMilli(1) },
		Topic: func(string) (Place, bool) { return Place{Partitions: 1}, true }}, ctx: context.Background()}
	src := &plan.Source{Rules: []*plan.Rule{{Targets: []*plan.Target{g}}}, Match: func(into []int, doc []byte) ([]int, error) {
		if strings.Contains(string(doc), "noise") {
			return into, nil
		}
		return append(into, 0), nil
	}}
	return &walk{r: newRunner(s, course.Seat{Source: "b"}, src, 0), src: src, table: course.Table{{0}}}
}

// lying are records at offsets from 0 on, a second apart.
func lying(values ...string) (all []*kgo.Record) {
	for i, v := range values {
		all = append(all, &kgo.Record{Topic: "b", Offset: int64(i), Value: []byte(`"` + v + `"`), Timestamp: time.UnixMilli(int64(i) * 1000)})
	}
	return all
}

// A turn ends where what targets get becomes too much to be in memory at once, however
// little the events are.
func TestATurnEndsWhereWhatTargetsGetIsMuch(t *testing.T) {
	const size = 1 << 20
	w := deciding(&plan.Target{Render: func(*plan.Event) (plan.Payload, error) { return plan.Payload{Body: make([]byte, size)}, nil }}, nil)
	turn := w.decide(lying(slices.Repeat([]string{"order"}, 100)...), 100)
	if n := len(turn.outputs); n != mostOutputBytes/size || turn.next != int64(n) || turn.events != n {
		t.Errorf("a turn has %d outputs of %d bytes of %d events, and ends at %d", n, size, turn.events, turn.next)
	}
}

func body(*plan.Event) (plan.Payload, error) { return plan.Payload{Body: []byte("x")}, nil }

// A target that gets its events one by one passes over what it does not want at once.
func TestATargetThatIsTriedWithOneEventPassesOverOthers(t *testing.T) {
	w := deciding(&plan.Target{Render: body}, nil)
	w.single = true
	turn := w.decide(lying("noise", "noise", "noise", "order", "noise", "order"), 6)
	if len(turn.outputs) != 1 || turn.outputs[0].offset != 3 || turn.next != 4 || turn.atMs != 3000 {
		t.Errorf("a turn has %d outputs and ends at %d, of the time %d", len(turn.outputs), turn.next, turn.atMs)
	}
	if turn = w.decide(lying("noise", "order"), 7); turn.next != 7 {
		t.Errorf("a turn of all that there is ends at %d", turn.next)
	}
}

// When an event is too old, so are those that have waited as long behind it. Their dead
// letters do not wait for the next one, which is tried.
func TestWhatIsAsOldIsGivenUpAtOnce(t *testing.T) {
	w := deciding(&plan.Target{Render: body}, small(1000))
	w.single, w.overdue = true, &overdue{untilMs: 2000, below: 5, why: dead{code: "X", why: "it is ill"}}
	turn := w.decide(lying("a", "b", "c", "d", "e"), 5)
	if turn.letters != 3 || len(turn.outputs) != 3 || turn.next != 3 {
		t.Errorf("a turn has %d dead letters among %d outputs, and ends at %d", turn.letters, len(turn.outputs), turn.next)
	}
}

// Where nothing else is as old, only the event itself is given up.
func TestWhatIsGivenUpAloneTakesNothingWithIt(t *testing.T) {
	w := deciding(&plan.Target{Render: body}, small(1000))
	w.doomed, w.overdue = map[int64]dead{1: {code: "X", why: "it is ill"}}, &overdue{why: dead{code: "X", why: "it is ill"}}
	if turn := w.decide(lying("a", "b", "c"), 3); turn.letters != 1 || len(turn.outputs) != 3 {
		t.Errorf("a turn has %d dead letters among %d outputs", turn.letters, len(turn.outputs))
	}
}

// An event that leaves no room for what is said of it is a dead letter all the same.
func TestADeadLetterFitsItsQueue(t *testing.T) {
	for _, c := range []struct {
		most  int
		size  int
		heads int    // attributes that are left
		says  string // the body has it
	}{
		{2000, 100, 2, "xxx"}, {2000, 1000, 1, "xxx"}, {2000, 5000, 2, `"offset":0`},
	} {
		w := deciding(&plan.Target{Render: body}, small(c.most))
		w.doomed = map[int64]dead{0: {code: "X", why: strings.Repeat("ill ", 200)}}
		turn := w.decide(lying(strings.Repeat("x", c.size)), 1)
		if len(turn.outputs) != 1 || len(turn.drops) != 0 || len(turn.outputs[0].record.Headers) != c.heads || !strings.Contains(string(turn.outputs[0].record.Value), c.says) {
			t.Errorf("of an event of %d bytes there are %d letters, and %d were dropped", c.size, len(turn.outputs), len(turn.drops))
		}
	}
}
