package run

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

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

// unreadable gives an event up that no rule can be matched with.
func (w *walk) unreadable(t *turn, e *plan.Event, err error) {
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
		m := queue.Message{Body: body, Attributes: attributes}
		if queueIsFIFO(ref) {
			m.Group, m.DedupID = e.Source.Ref.Name, e.DeliveryID(g)
		}
		if len(m.Body) == 0 {
			m.Body = []byte("{}") // no message is without a body
		}
		got, rerr := w.r.s.o.Queues.Records(w.r.ctx, refOf(ref), []queue.Message{m})
		if err = rerr; err == nil {
			switch at, size := w.place(t, got[0].Topic), sizeOf(got[0]); {
			case at.there && at.Ill != nil:
				err = fmt.Errorf("topic %s: %w", got[0].Topic, at.Ill)
			case at.MaxBytes > 0 && size > int(at.MaxBytes):
				err = fmt.Errorf("topic %s: %w: it has %d bytes, and the topic takes %d", got[0].Topic, kerr.MessageTooLarge, size, at.MaxBytes)
			}
		}
		switch {
		case err == nil:
			got[0].Partition = place.Anywhere
			t.outputs = append(t.outputs, output{g, e.Offset, got[0], d.why})
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
