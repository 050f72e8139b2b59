package run

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
)

// turn is what some events become.
type turn struct {
	from, next int64
	events     int
	outputs    []output
	sends      []send
	places     map[string]placed // topics that were asked for
	gone       map[name.Ref]bool // what was not there, and is no more
	// failed are targets to which nothing can be written, by key.
	failed map[string]failure

	drops            []drop
	matched, letters int
}

// output is a record for a target.
type output struct {
	target *plan.Target
	offset int64 // of the event
	record *kgo.Record
	why    string // of a dead letter; else ""
}

// drop is an event that was given up and is nowhere.
type drop struct{ target, why string }

// send is a message for a queue that delays its messages.
type send struct {
	target  *plan.Target
	offset  int64
	message queue.Message
}

type placed struct {
	Place
	there bool
}

// failure is why a target does not get an event.
type failure struct {
	err    error
	final  bool
	offset int64 // of the first event
}

func (t *turn) fail(g *plan.Target, offset int64, err error) {
	if t.failed == nil {
		t.failed = map[string]failure{}
	}
	if old, was := t.failed[g.Key]; was && old.offset <= offset {
		return
	}
	t.failed[g.Key] = failure{err, final(err), offset}
}

// decide makes a turn of records. It ends before its end where they become too much.
func (w *walk) decide(records []*kgo.Record, next int64) *turn {
	t := &turn{from: w.at, next: next}
	w.arena, w.spare = w.spare[:0], w.arena
	for _, rec := range records {
		if ms := rec.Timestamp.UnixMilli(); w.toMs != 0 && (ms < w.fromMs || ms >= w.toMs) {
			continue
		}
		if len(t.outputs) >= mostOutputs {
			t.next = rec.Offset
			break
		}
		w.event(t, rec)
		t.events++
	}
	return t
}

// event decides for one record.
func (w *walk) event(t *turn, rec *kgo.Record) {
	e := w.read(rec)
	var err error
	w.into, err = w.src.Match(w.into[:0], e.Doc)
	if err != nil {
		w.unreadable(t, e, err)
		return
	}
	for _, i := range w.into {
		if i >= len(w.table) || w.table[i] == nil {
			continue
		}
		rule, own := w.src.Rules[i], (*plan.Event)(nil)
		for k, g := range rule.Targets {
			if rec.Offset < w.table[i][k] {
				continue
			}
			if own == nil {
				of := *e
				of.Rule = rule
				own = &of
			}
			t.matched++
			w.give(t, own, g)
		}
	}
}

// read makes an event of a record.
func (w *walk) read(rec *kgo.Record) *plan.Event {
	headers := make([]envelope.Header, len(rec.Headers))
	for i, h := range rec.Headers {
		headers[i] = envelope.Header{Name: h.Key, Value: h.Value}
	}
	ms := rec.Timestamp.UnixMilli()
	e := &plan.Event{Source: w.src, Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Replay: w.name}
	e.Event = envelope.Read(rec.Topic, rec.Partition, rec.Offset, ms, rec.Key, rec.Value, headers)
	e.Event.ReplayName = w.name
	begin := len(w.arena)
	if w.src.Document != nil {
		e.Raw = &plan.Raw{Key: rec.Key, Value: rec.Value, Headers: headers, TimeMs: ms}
		w.arena = w.src.Document(w.arena, e.Raw)
	} else {
		w.arena = e.AppendDocument(w.arena)
	}
	e.Doc = w.arena[begin:len(w.arena):len(w.arena)]
	return e
}

// give makes what a target gets of an event.
func (w *walk) give(t *turn, e *plan.Event, g *plan.Target) {
	if d, doomed := w.doomed[e.Offset]; doomed {
		w.bury(t, e, g, d)
		return
	}
	if _, failed := t.failed[g.Key]; failed {
		return // the turn will not be written
	}
	p, err := g.Render(e)
	if err != nil {
		w.bury(t, e, g, dead{code: "TRANSFORM_FAILED", why: err.Error()})
		return
	}
	records, m, err := w.output(t, e, g, p)
	switch {
	case err != nil && (final(err) || w.gone(t, g, err)):
		w.bury(t, e, g, dead{code: codeOf(err), why: err.Error()})
	case err != nil:
		t.fail(g, e.Offset, err)
	case m != nil:
		t.sends = append(t.sends, send{g, e.Offset, *m})
	default:
		t.outputs = append(t.outputs, output{target: g, offset: e.Offset, record: records})
	}
}

// gone is Service.gone, once a turn.
func (w *walk) gone(t *turn, g *plan.Target, err error) bool {
	if !missing(err) {
		return false
	}
	gone, known := t.gone[g.To.Ref]
	if !known {
		if gone = w.r.s.gone(w.r.ctx, g, err); t.gone == nil {
			t.gone = map[name.Ref]bool{}
		}
		t.gone[g.To.Ref] = gone
	}
	return gone
}

// place looks a topic up, once a turn.
func (w *walk) place(t *turn, topic string) placed {
	p, known := t.places[topic]
	if !known {
		p.Place, p.there = w.r.s.o.Topic(topic)
		if t.places == nil {
			t.places = map[string]placed{}
		}
		t.places[topic] = p
	}
	return p
}
