package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/place"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
)

// dead is why an event is given up at a target.
type dead struct {
	code, why string
	retries   int    // attempts after the first
	exhausted string // the condition that ended attempts, "" for a final error
}

// codeOf is an error in EventBridge's words.
func codeOf(err error) string {
	switch {
	case errors.Is(err, errNoTopic), errors.Is(err, queue.ErrNotFound):
		return "NO_RESOURCE"
	case errors.Is(err, queue.ErrTooLarge), errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge):
		return "PAYLOAD_TOO_LARGE"
	case errors.Is(err, queue.ErrInvalid), errors.Is(err, errRefused), errors.Is(err, kerr.InvalidRecord):
		return "INVALID_PARAMETER"
	}
	return "SDK_CLIENT_ERROR"
}

// overdue is why all events up to a time are given up that are below an offset, which have
// waited since then; 0 is none of them.
type overdue struct {
	untilMs int64
	below   int64
	why     dead
}

// doomedAt tells why the event at an offset, of a time, is given up.
func (w *walk) doomedAt(offset, ms int64) (dead, bool) {
	d, ok := w.doomed[offset]
	if !ok && w.overdue != nil && offset < w.overdue.below && ms <= w.overdue.untilMs {
		d, ok = w.overdue.why, true
	}
	return d, ok
}

func (w *walk) dooms(offset, ms int64) bool {
	_, ok := w.doomedAt(offset, ms)
	return ok
}

// bury gives an event up: it becomes a dead letter where there is a queue for it.
func (w *walk) bury(t *turn, e *plan.Event, g *plan.Target, d dead) {
	ref := g.DeadLetters
	if ref == (name.Ref{}) {
		ref = e.Source.DeadLetters
	}
	body, attributes := w.letterOf(e, g)
	attributes["RULE_ARN"], attributes["TARGET_ARN"] = text(arnOf(e.Rule.Ref)), text(TargetARN(g))
	w.letter(t, e, g, ref, body, attributes, d)
}

// unreadable gives an event up that no rule can be matched with. The pass does, once:
// no branch and no replay gives it up again.
func (w *walk) unreadable(t *turn, e *plan.Event, err error) {
	if w.wary {
		return
	}
	g := &plan.Target{Key: w.src.Ref.Key()}
	w.letter(t, e, g, w.src.DeadLetters, e.Doc, map[string]queue.Attribute{}, dead{code: "INVALID_JSON", why: err.Error()})
}

// letter writes a dead letter. Where there is no queue for it, or that refuses it, the
// event is dropped, and the log tells.
func (w *walk) letter(t *turn, e *plan.Event, g *plan.Target, ref name.Ref, body []byte, attributes map[string]queue.Attribute, d dead) {
	attributes["ERROR_CODE"], attributes["ERROR_MESSAGE"] = text(d.code), text(cut(d.why, mostReason))
	attributes["RETRY_ATTEMPTS"] = text(strconv.Itoa(d.retries))
	if d.exhausted != "" {
		attributes["EXHAUSTED_RETRY_CONDITION"] = text(d.exhausted)
	}
	var err error
	if ref != (name.Ref{}) {
		var rec *kgo.Record
		rec, err = w.fitting(t, e, g, ref, queue.Message{Body: body, Attributes: attributes})
		switch {
		case err == nil:
			t.add(output{g, e.Offset, rec, d.why})
			t.letters++
		case !final(err) && !errors.Is(err, queue.ErrNotFound):
			t.fail(g, e.Offset, fmt.Errorf("dead letters: %w", err)) // it must not be lost
			return
		}
	}
	if ref == (name.Ref{}) || err != nil {
		t.drops = append(t.drops, drop{g.Key, d.why})
	}
	w.r.s.o.Logger.Warn("an event was given up", "source", w.src.Ref.String(), "target", g.Key, "event", e.ID, "topic", e.Topic,
		"partition", e.Partition, "offset", e.Offset, "err", d.why, "dead_letters", ref.Name, "dead_letters_err", err)
}

// fitting is a dead letter as its queue takes it. An event that is as large as a message
// may be has no room for what is said of it: then less is said, and of one that is too
// large as it is, only where it lies.
func (w *walk) fitting(t *turn, e *plan.Event, g *plan.Target, ref name.Ref, m queue.Message) (*kgo.Record, error) {
	if queueIsFIFO(ref) {
		m.Group, m.DedupID = e.Source.Ref.Name, e.DeliveryID(g)
	}
	if len(m.Body) == 0 {
		m.Body = []byte("{}") // no message is without a body
	}
	rec, err := w.letterIn(t, ref, m)
	if !tooLarge(err) {
		return rec, err
	}
	said := m.Attributes
	m.Attributes = map[string]queue.Attribute{"ERROR_CODE": said["ERROR_CODE"]}
	if rec, err = w.letterIn(t, ref, m); !tooLarge(err) {
		return rec, err
	}
	m.Attributes, m.Body = said, lies(e)
	return w.letterIn(t, ref, m)
}

// letterIn is a message as it lies in the topic of a queue that can be written to now.
func (w *walk) letterIn(t *turn, ref name.Ref, m queue.Message) (*kgo.Record, error) {
	got, err := w.r.s.o.Queues.Records(w.r.ctx, refOf(ref), []queue.Message{m})
	if err != nil {
		return nil, err
	}
	rec := got[0]
	switch at, size := w.place(t, rec.Topic), sizeOf(rec); {
	case at.there && at.Ill != nil:
		return nil, fmt.Errorf("topic %s: %w", rec.Topic, at.Ill)
	case at.MaxBytes > 0 && size > int(at.MaxBytes):
		return nil, fmt.Errorf("topic %s: %w: it has %d bytes, and the topic takes %d", rec.Topic, kerr.MessageTooLarge, size, at.MaxBytes)
	}
	rec.Partition = place.Anywhere
	return rec, nil
}

func tooLarge(err error) bool {
	return errors.Is(err, queue.ErrTooLarge) || errors.Is(err, kerr.MessageTooLarge)
}

// lies says where an event is that is too large to be told itself.
func lies(e *plan.Event) []byte {
	at := struct {
		ID         string `json:"id"`
		Source     string `json:"source"`
		DetailType string `json:"detail-type"`
		Topic      string `json:"topic"`
		Partition  int32  `json:"partition"`
		Offset     int64  `json:"offset"`
	}{cut(e.ID, mostReason), cut(e.Event.Source, mostReason), cut(e.Type, mostReason), e.Topic, e.Partition, e.Offset}
	b, err := json.Marshal(at)
	if err != nil {
		return []byte("{}") // there is nothing in it that JSON does not have
	}
	return b
}

// letterOf is what a dead letter says of the event: what EventBridge's envelope is.
func (w *walk) letterOf(e *plan.Event, g *plan.Target) ([]byte, map[string]queue.Attribute) {
	attributes := map[string]queue.Attribute{}
	switch {
	case g.Letter != nil:
		p := g.Letter(e)
		for _, h := range p.Headers {
			attributes[h.Name] = text(h.Value)
		}
		for _, a := range p.Attributes {
			attributes[a.Name] = queue.Attribute{Type: a.Type, Value: a.Value}
		}
		return p.Body, attributes
	case w.src.Document != nil:
		return e.Doc, attributes
	}
	return e.AppendEnvelope(nil), attributes
}

// mostReason bounds the text of an error in a letter.
const mostReason = 1024

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func text(s string) queue.Attribute {
	if s == "" {
		s = "-" // no attribute is empty
	}
	return queue.Attribute{Type: "String", Value: []byte(s)}
}

// arnOf names an object as AWS does, or as we do where that has no name for it.
func arnOf(ref name.Ref) string {
	if arn := ref.ARN(); arn != "" {
		return arn
	}
	return ref.Key()
}

// TargetARN names where a target's events were to go.
func TargetARN(g *plan.Target) string {
	switch {
	case g.To.Ref != (name.Ref{}):
		return arnOf(g.To.Ref)
	case g.To.Topic != "":
		return name.Of(name.Topic, g.To.Topic).ARN()
	}
	return g.Key
}

func queueIsFIFO(ref name.Ref) bool { return strings.HasSuffix(ref.Name, name.FIFOSuffix) }
