package bus

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/transform"
)

// rendering makes of an event what a target gets.
type rendering struct {
	*Target
	where     place
	fifo      bool // a queue or an SNS topic whose messages have groups
	plan      *plan.Target
	arn, rule string
	transform *transform.Transform // nil: the event itself
	key       *transform.Path
	headers   []parameter
	query     []parameter
	path      []parameter
}

// parameter is a header or another text of what is sent: a fixed one, or the value
// of a path.
type parameter struct {
	name, text string
	path       *transform.Path
}

// render makes Render of a target; of is the target as runners know it, nil where it
// is only checked.
func (t *Target) render(where place, rule RuleRef, of *plan.Target) (func(*plan.Event) (plan.Payload, error), error) {
	r := &rendering{Target: t, where: where, plan: of, arn: rule.ARN(), rule: rule.Name}
	r.fifo = (where.Kind == plan.Queue || where.Kind == plan.SNS) && strings.HasSuffix(where.Ref.Name, name.FIFOSuffix)
	var err error
	if t.Input+t.InputPath+t.Template != "" || len(t.Paths) > 0 {
		if where.Kind == plan.Bus {
			return nil, invalid("to", "a bus gets the event as it is: input, input_path, paths and template are not for buses")
		}
		if r.transform, err = transform.Parse(t.Spec); err != nil {
			return nil, because("transform", err)
		}
	}
	if t.Key != "" {
		if r.key, err = transform.ParsePath(t.Key); err != nil {
			return nil, because("key", err)
		}
	}
	if r.headers, err = parameters("headers", t.Headers); err != nil {
		return nil, err
	}
	if r.query, err = parameters("query", t.Query); err != nil {
		return nil, err
	}
	for _, text := range t.Path {
		p, err := parameterOf("path", "", text)
		if err != nil {
			return nil, err
		}
		r.path = append(r.path, p)
	}
	if t.Group != "" && of == nil { // what is kept was checked by what held then: the rule runs
		if err := name.CheckGroup(t.Group); err != nil {
			return nil, because("group", err)
		}
	}
	switch {
	case r.fifo && where.Kind == plan.Queue && t.Group == "" && r.key == nil:
		return nil, invalid("group", "%s is a FIFO queue: messages need a group, or a key whose value is the group", where.Ref.Name)
	case t.Group != "" && where.Kind != plan.Queue && where.Kind != plan.SNS:
		return nil, invalid("group", "it is of a FIFO queue's messages")
	case where.Kind == plan.Bus && (r.key != nil || len(r.headers) > 0):
		return nil, invalid("to", "a bus gets the event as it is: key and headers are not for buses")
	}
	return r.payload, nil
}

func parameters(field string, all map[string]string) (out []parameter, err error) {
	for _, k := range slices.Sorted(maps.Keys(all)) {
		p, err := parameterOf(field, k, all[k])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func parameterOf(field, called, text string) (parameter, error) {
	p := parameter{name: called, text: text}
	if !strings.HasPrefix(text, "$.") {
		return p, nil
	}
	var err error
	if p.path, err = transform.ParsePath(text); err != nil {
		return p, because(field, err)
	}
	return p, nil
}

// value is the text of a parameter; false where the event has none.
func (p *parameter) value(doc []byte) (string, bool) {
	if p.path == nil {
		return p.text, true
	}
	return p.path.Text(doc)
}

func values(all []parameter, doc []byte) (out []plan.Header) {
	for i := range all {
		if v, ok := all[i].value(doc); ok {
			out = append(out, plan.Header{Name: all[i].name, Value: v})
		}
	}
	return out
}

// payload implements plan.Target's Render.
func (r *rendering) payload(e *plan.Event) (plan.Payload, error) {
	if r.where.Kind == plan.Bus {
		return plan.Payload{Event: e.Event}, nil
	}
	var key []byte
	if r.key != nil {
		if text, ok := r.key.Text(e.Doc); ok {
			key = []byte(text)
		}
	}
	body, err := r.body(e)
	if err != nil {
		return plan.Payload{}, err
	}
	if r.where.Kind == plan.Topic {
		return plan.Payload{Event: r.event(e, body, key)}, nil
	}
	p := plan.Payload{Body: body, Key: key, Headers: values(r.headers, e.Doc), Query: values(r.query, e.Doc), Method: r.Method}
	for i := range r.path {
		text, _ := r.path[i].value(e.Doc) // what is not there leaves its place empty
		p.Path = append(p.Path, text)
	}
	if r.where.Kind == plan.Queue || r.where.Kind == plan.SNS {
		if r.Group != "" {
			p.Key = []byte(r.Group)
		}
		if r.fifo && len(p.Key) > 0 {
			if err := name.CheckGroup(string(p.Key)); err != nil {
				return plan.Payload{}, fmt.Errorf("the value of %s is to be the message group: %w", r.Key, err)
			}
		}
		if r.plan != nil && r.fifo { // others have no use for it
			p.DedupID = e.DeliveryID(r.plan)
		}
	}
	return p, nil
}

// body is what a target gets that is no bus; nil for a topic that gets the event.
func (r *rendering) body(e *plan.Event) ([]byte, error) {
	switch {
	case r.transform != nil:
		return r.transform.Apply(e.Doc, transform.Vars{RuleARN: r.arn, RuleName: r.rule, Event: e.Event})
	case r.where.Kind == plan.Topic:
		return nil, nil
	}
	return e.Envelope(), nil
}

// event is what a topic gets: the event, with other data where there is a transform.
func (r *rendering) event(e *plan.Event, body, key []byte) *envelope.Event {
	if r.transform == nil && key == nil && len(r.headers) == 0 {
		return e.Event
	}
	out := e.Event.Clone()
	if r.transform != nil {
		out.Foreign, out.Data, out.DataContentType = false, body, envelope.JSON
	}
	if key != nil {
		out.Key = key
	}
	for _, h := range values(r.headers, e.Doc) {
		out.Headers = append(out.Headers, envelope.Header{Name: h.Name, Value: []byte(h.Value)})
	}
	return out
}
