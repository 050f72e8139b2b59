package schedule

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"ottla/internal/event/jsonwalk"
	"ottla/internal/event/name"
	events "ottla/internal/event/plan" // plan is a type here
	"ottla/internal/event/queue"
	"ottla/internal/event/sns/notice"
)

// inEnvelope is how deep a detail lies in its event.
const inEnvelope = 1

// named is what a target names, and the field that does; a URL names nothing.
func (t *Target) named() (kind name.Kind, field, text string) {
	switch {
	case t.Topic != "":
		return name.Topic, "target.topic", t.Topic
	case t.Queue != "":
		return name.Queue, "target.queue", t.Queue
	case t.Bus != "":
		return name.Bus, "target.bus", t.Bus
	case t.SNS != "":
		return name.SNS, "target.sns", t.SNS
	case t.Function != "":
		return name.Function, "target.function", t.Function
	}
	return "", "target.url", t.URL
}

// Place is the object that the target of a schedule names; an address names none, and
// stands for itself.
func (t *Target) Place(of Ref) (name.Ref, error) {
	kind, field, text := t.named()
	if kind == "" {
		return name.Ref{}, nil
	}
	r, err := refOf(kind, text, of)
	if err != nil {
		return name.Ref{}, because(field, err)
	}
	return r, nil
}

// ARN names where the runs of a schedule go; an address stands for itself, and an ARN as
// it was written.
func (t *Target) ARN(of Ref) string {
	kind, _, text := t.named()
	r, err := t.Place(of)
	if err != nil || kind == "" || kind != name.Topic && strings.HasPrefix(text, "arn:") {
		return text
	}
	return r.ARN()
}

// called tells whether runs are calls, of which each attempt is noted before and after.
func (t *Target) called() bool { return t.URL != "" || t.Function != "" }

// refOf reads the name or the ARN of an object; a name is of the schedule's account and
// region.
func refOf(kind name.Kind, text string, of Ref) (name.Ref, error) {
	if kind == name.Topic || !strings.HasPrefix(text, "arn:") {
		full := of.group().Full()
		return name.Ref{Kind: kind, Account: full.Account, Region: full.Region, Name: text}, name.Check(kind, text)
	}
	r, err := name.ParseARN(text)
	if err != nil {
		return name.Ref{}, err
	}
	if r.Kind != kind {
		return name.Ref{}, invalid(string(kind), "%s is no ARN of a %s", text, kind)
	}
	return r, nil
}

// queueRef is refOf of a queue.
func queueRef(text string, of Ref) (queue.Ref, error) {
	r, err := refOf(name.Queue, text, of)
	if err != nil {
		return queue.Ref{}, err
	}
	return queue.RefOf(r), nil
}

// checkPlace checks what a target names, and what goes with it alone.
func (t *Target) checkPlace(ref Ref) error {
	if _, err := t.Place(ref); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(t.Topic, "__"):
		return invalid("target.topic", "%s is a topic that nodes keep for themselves", t.Topic)
	case t.Bus != "":
		return t.checkEvent(ref)
	case t.SNS != "":
		return t.checkNotice()
	case t.Function != "" && t.Key != "":
		return invalid("target.key", "a function is called with the input alone")
	case t.Function != "" && len(t.Headers) > 0:
		return invalid("target.headers", "a function is called with the input alone")
	}
	return nil
}

// checkEvent checks what a run is an event of a bus with, and fills in what was left out.
func (t *Target) checkEvent(ref Ref) error {
	t.Type, t.Source = or(t.Type, runType), or(t.Source, ref.ARN())
	if n := utf8.RuneCountInString(t.Type); n > mostType {
		return invalid("target.type", "it has %d characters; %d are possible", n, mostType)
	}
	if n := utf8.RuneCountInString(t.Source); n > mostSource {
		return invalid("target.source", "it has %d characters; %d are possible", n, mostSource)
	}
	for _, k := range slices.Sorted(maps.Keys(t.Headers)) {
		if strings.HasPrefix(k, "ce_") || strings.EqualFold(k, "content-type") {
			return invalid("target.headers", "%.64q is the event's own", k)
		}
	}
	// What keywords stand for makes an object of none, and none of an object.
	detail := run{Schedule: Schedule{Ref: ref, Spec: Spec{Target: *t}}}.input()
	if detail != "" && (!strings.HasPrefix(strings.TrimLeft(detail, " \t\r\n"), "{") || !jsonwalk.Valid([]byte(detail), inEnvelope)) {
		return invalid("target.input", "it is the detail of an event, which is a JSON object, and this is none")
	}
	return nil
}

// checkNotice checks what a run is a message of an SNS topic with.
func (t *Target) checkNotice() error {
	if t.Input == "" {
		return invalid("target.input", "it is the message for the SNS topic, and none is empty")
	}
	for _, a := range t.attributes() {
		if err := notice.CheckAttribute(&a); err != nil {
			return because("target.headers", err)
		}
	}
	return nil
}

// attributes are the headers as attributes of a message of an SNS topic.
func (t *Target) attributes() []events.Attribute {
	var out []events.Attribute
	for _, k := range slices.Sorted(maps.Keys(t.Headers)) {
		out = append(out, events.Attribute{Name: k, Type: "String", Value: []byte(t.Headers[k])})
	}
	return out
}
