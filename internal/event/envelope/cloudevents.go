package envelope

import (
	"errors"
	"fmt"

	"ottla/internal/event/jsonwalk"
)

// AppendCloudEvent adds the event in CloudEvents' JSON format.
func (e *Event) AppendCloudEvent(dst []byte) []byte {
	dst = append(dst, `{"specversion":"1.0","id":`...)
	dst = jsonwalk.AppendString(dst, e.ID)
	dst = appendMember(dst, "source", e.Source)
	dst = appendMember(dst, "type", e.Type)
	for _, may := range [...]struct{ called, text string }{
		{"subject", e.Subject}, {"time", e.Time}, {"datacontenttype", e.DataContentType}, {"dataschema", e.DataSchema},
	} {
		if may.text != "" {
			dst = appendMember(dst, may.called, may.text)
		}
	}
	for _, x := range e.Extensions {
		dst = appendMember(dst, x.Name, x.Value)
	}
	return append(e.appendData(dst, "data"), '}')
}

// FromCloudEvent reads an event in CloudEvents' JSON format, which it shares.
func FromCloudEvent(text []byte) (*Event, error) {
	e := &Event{}
	version := ""
	r := reader{event: e, data: "data", typed: "type", attribute: func(called string) *string {
		if called == "datacontenttype" {
			return &e.DataContentType
		}
		return e.attribute(called, &version)
	}}
	err := r.read(text, func(string, []byte) (bool, error) { return false, nil })
	if err == nil && version != "1.0" {
		err = fmt.Errorf("specversion is %.40q; want 1.0", version)
	}
	if err == nil {
		err = r.finish()
	}
	if err != nil {
		return nil, fmt.Errorf("read an event in CloudEvents' JSON format: %w", err)
	}
	return e, nil
}

// FromBatch reads CloudEvents' batch format, a list of at most most events.
func FromBatch(text []byte, most int) ([]*Event, error) {
	var all []*Event
	var bad error
	if !jsonwalk.Valid(text, 0) || !jsonwalk.Elements(text, func(value []byte) bool {
		if len(all) == most {
			bad = fmt.Errorf("a batch has at most %d events", most)
			return false
		}
		e, err := FromCloudEvent(value)
		if err != nil {
			bad = fmt.Errorf("event %d: %w", len(all)+1, err)
			return false
		}
		all = append(all, e)
		return true
	}) {
		return nil, errors.New("a batch is a list of events, in JSON")
	}
	if bad != nil {
		return nil, bad
	}
	return all, nil
}
