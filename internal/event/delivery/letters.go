package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/delivery/course"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
)

// lost is a delivery that was given up, with what its dead letter says.
type lost struct {
	course.Letter
	lane     *lane
	parcel   *parcel
	endpoint *plan.Endpoint
	err      error // why its dead letter will never be written
	short    int   // how often less was made of that
}

// shorten makes less of a dead letter that its queue does not take whole: it says less of
// why it was given up, and of an event that is too large itself only where it lies. False
// when nothing is left to be said less of, or it was refused for something else.
func (l *lost) shorten(err error) bool {
	if l.short == shortest || !errors.Is(err, queue.ErrTooLarge) && !errors.Is(err, kerr.MessageTooLarge) {
		return false
	}
	l.short++
	return true
}

// What is left of a dead letter.
const (
	_        = iota
	codeOnly // the event, and the code of its error
	lying    // where the event lies, and why it was given up
	shortest // where it lies, and the code
)

// mostLying bounds what is said of an event that is not told itself.
const mostLying = 128

// lies says where an event is.
func (p *parcel) lies() []byte {
	b, err := json.Marshal(struct {
		ID        string `json:"id"`
		Topic     string `json:"topic"`
		Partition int32  `json:"partition"`
		Offset    int64  `json:"offset"`
	}{strings.ToValidUTF8(p.Event[:min(len(p.Event), mostLying)], ""), p.Topic, p.Partition, p.Offset})
	if err != nil {
		return []byte("{}") // there is nothing in it that JSON does not have
	}
	return b
}

// letterRecords are the records of the dead letters that have a queue, by their
// places.
func (r *runner) letterRecords(ctx context.Context) (map[int][]*kgo.Record, refusals) {
	out, refused := map[int][]*kgo.Record{}, refusals{}
	for i, l := range r.letters {
		if l.err != nil || l.endpoint.DeadLetters.Name == "" {
			continue
		}
		recs, err := r.letter(ctx, &l)
		if err != nil {
			refused[i] = err
			continue
		}
		out[i] = recs
	}
	return out, refused
}

// letter are the records of a dead letter; an error where its queue takes none at the
// moment.
func (r *runner) letter(ctx context.Context, l *lost) ([]*kgo.Record, error) {
	if r.ill[l.endpoint.DeadLetters].untilMs > r.s.nowMs() {
		return nil, errIll
	}
	recs, err := r.s.o.Queues.Records(ctx, queue.RefOf(l.endpoint.DeadLetters), []queue.Message{l.message()})
	for _, rec := range recs {
		if err == nil && r.s.o.Ill != nil {
			err = r.s.o.Ill(rec.Topic)
		}
	}
	return recs, err
}

// message is the event as EventBridge's dead letters have it: as it came, and why it
// was given up in attributes.
func (l *lost) message() queue.Message {
	text := func(s string) queue.Attribute { return queue.Attribute{Type: "String", Value: []byte(s)} }
	p := l.parcel
	m := queue.Message{Body: p.doc, Group: "deliveries", DedupID: p.ID, Attributes: map[string]queue.Attribute{}}
	for _, h := range p.LetterHeaders {
		m.Attributes[h.Name] = text(h.Value)
	}
	for _, a := range p.LetterAttributes {
		m.Attributes[a.Name] = queue.Attribute{Type: a.Type, Value: a.Value}
	}
	maps.Copy(m.Attributes, map[string]queue.Attribute{
		"ERROR_CODE": text(or(l.Code, "UNKNOWN")), "ERROR_MESSAGE": text(or(l.Why, "unknown")),
		"RETRY_ATTEMPTS": text(strconv.Itoa(max(l.Attempts-1, 0))), "TARGET_ARN": text(targetARN(l.endpoint)),
		"DELIVERY_ID": text(p.ID),
	})
	if rule := arnOf(p.Rule); rule != "" {
		m.Attributes["RULE_ARN"] = text(rule)
	}
	if l.Exhausted != "" {
		m.Attributes["EXHAUSTED_RETRY_CONDITION"] = text(l.Exhausted)
	}
	if l.short == codeOnly || l.short == shortest {
		m.Attributes = map[string]queue.Attribute{"ERROR_CODE": m.Attributes["ERROR_CODE"]}
	}
	if l.short >= lying {
		m.Body = p.lies()
	}
	if len(m.Body) == 0 {
		m.Body = []byte("{}") // no message is without a body
	}
	return m
}

// told counts a delivery that was given up, and logs it.
func (r *runner) told(l lost) {
	to := l.endpoint.DeadLetters.Name
	args := []any{"target", l.lane.key, "event", l.parcel.Event, "delivery", l.parcel.ID, "attempts", l.Attempts, "err", l.Why}
	if to != "" && l.err == nil {
		r.s.count.lettered.Inc()
		r.s.o.Logger.Warn("a delivery was given up and is a dead letter", append(args, "queue", to)...)
		return
	}
	r.s.count.dropped.Inc()
	r.s.o.Logger.Error("a delivery was given up and is dropped", append(args, "queue", to, "queue_err", l.err)...)
}

func arnOf(key string) string {
	ref, err := name.ParseKey(key)
	if err != nil {
		return ""
	}
	return ref.ARN()
}

// targetARN names what was called; an address stands for itself, without what may be
// secret in it.
func targetARN(e *plan.Endpoint) string {
	if e.ARN != "" {
		return e.ARN
	}
	if e.Function != "" {
		return "arn:aws:lambda:" + or(e.Rule.Region, name.DefaultRegion) + ":" + or(e.Rule.Account, name.DefaultAccount) + ":function:" + e.Function
	}
	return bare(e.URL)
}

// bare is an address without its query.
func bare(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
