package run

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/place"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
)

// turn is what some events become.
type turn struct {
	from, next int64
	events     int
	outputs    []output
	sends      []send
	size       int               // of outputs and sends
	atMs       int64             // the time of the event that is decided
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
	for i, rec := range records {
		ms := rec.Timestamp.UnixMilli()
		if w.toMs != 0 && (ms < w.fromMs || ms >= w.toMs) {
			continue
		}
		if t.full() || w.single && t.buries() && !w.dooms(rec.Offset, ms) {
			t.next = rec.Offset // dead letters must not wait for an event that is tried
			break
		}
		t.atMs = ms
		w.event(t, rec)
		t.events++
		if w.single && t.gives() {
			if i+1 < len(records) {
				t.next = records[i+1].Offset
			}
			break
		}
	}
	return t
}

// full tells whether a turn is as large as it may be.
func (t *turn) full() bool {
	return len(t.outputs)+len(t.sends) >= mostOutputs || t.size >= mostOutputBytes
}

// gives tells whether some target is to get an event that is not given up.
func (t *turn) gives() bool { return t.matched > t.letters+len(t.drops) }

// buries tells whether some event is given up.
func (t *turn) buries() bool { return t.letters+len(t.drops) > 0 }

// add has a target get a record.
func (t *turn) add(o output) { t.outputs, t.size = append(t.outputs, o), t.size+sizeOf(o.record) }

// event decides for one record.
func (w *walk) event(t *turn, rec *kgo.Record) {
	w.match(t, w.read(rec))
}

// match decides for one event.
func (w *walk) match(t *turn, e *plan.Event) {
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
			if e.Offset < w.table[i][k] {
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
	e := &plan.Event{Source: w.src, Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Replay: w.name, ReplayID: w.id}
	e.Event = place.Event(rec)
	e.Event.ReplayName = w.name
	begin := len(w.arena)
	if w.src.Document != nil {
		e.Raw = &plan.Raw{Key: rec.Key, Value: rec.Value, Headers: place.Headers(rec), TimeMs: rec.Timestamp.UnixMilli()}
		w.arena = w.src.Document(w.arena, e.Raw)
	} else {
		w.arena = e.AppendDocument(w.arena)
	}
	e.Doc = w.arena[begin:len(w.arena):len(w.arena)]
	return e
}

// give makes what a target gets of an event.
func (w *walk) give(t *turn, e *plan.Event, g *plan.Target) {
	if d, doomed := w.doomedAt(e.Offset, t.atMs); doomed {
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
		t.sends, t.size = append(t.sends, send{g, e.Offset, *m}), t.size+len(m.Body)
	default:
		t.add(output{target: g, offset: e.Offset, record: records})
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
