package run

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/event/run/course"
)

// Trial decides what the rules of a source make of records, by what its runners do it
// with, and writes nothing. One goroutine uses it.
type Trial struct {
	w      walk
	places map[string]placed
	gone   map[name.Ref]bool
}

// What becomes of an event at a target.
const (
	Sends   = "sent"
	Buries  = "dead letter"
	Drops   = "dropped"     // it is given up, and there is no queue for dead letters
	Retries = "tried again" // its place takes nothing at the moment
)

// Outcome is what a target gets of an event, or why it does not.
type Outcome struct {
	Target string // its Key
	Does   string
	Why    string // of all but Sends
	// Record would be written, of Sends and Buries; nil for a queue that delays its
	// messages.
	Record *kgo.Record
}

// Trial makes one of a source, whose rules hold for all of its events. replay is the
// name of the replay that would read them, "" of none.
func (s *Service) Trial(ctx context.Context, src *plan.Source, replay string) *Trial {
	quiet := &Service{o: s.o, ctx: ctx}
	quiet.o.Logger = slog.New(slog.DiscardHandler)
	quiet.o.Topic = func(topic string) (Place, bool) {
		p, there := s.o.Topic(topic)
		if !there && topic == s.o.Parcels { // it is made for the first target that is called
			return Place{Partitions: 1}, true
		}
		return p, there
	}
	x := &Trial{places: map[string]placed{}, gone: map[name.Ref]bool{}}
	x.w = walk{r: &runner{s: quiet, topic: src.Topic, ctx: ctx}, src: src, name: replay, table: make(course.Table, len(src.Rules))}
	for i, r := range src.Rules {
		x.w.table[i] = make([]int64, len(r.Targets))
	}
	return x
}

// Take tells what becomes of a record: by which of the source's rules it is taken, and
// what each of their targets gets. All is valid until the next Take. An event that no
// rule can be matched with is none's.
func (x *Trial) Take(rec *kgo.Record) (e *plan.Event, rules []int, out []Outcome) {
	t := &turn{places: x.places, gone: x.gone}
	x.w.arena = x.w.arena[:0]
	e = x.w.read(rec)
	x.w.match(t, e)
	if len(x.w.into) == 0 {
		return e, nil, nil
	}
	for _, o := range t.outputs {
		does := Outcome{Target: o.target.Key, Does: Sends, Why: o.why, Record: o.record}
		if o.why != "" {
			does.Does = Buries
		}
		out = append(out, does)
	}
	for _, s := range t.sends {
		out = append(out, Outcome{Target: s.target.Key, Does: Sends})
	}
	for _, d := range t.drops {
		out = append(out, Outcome{Target: d.target, Does: Drops, Why: d.why})
	}
	for key, f := range t.failed {
		out = append(out, Outcome{Target: key, Does: Retries, Why: f.err.Error()})
	}
	return e, x.w.into, out
}

// Message is what a queue gets of an event.
func Message(e *plan.Event, g *plan.Target, p plan.Payload) queue.Message { return message(e, g, p) }
