package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"ottla/internal/event/jsonwalk"
)

// FromEnvelope reads EventBridge's envelope, be it Ottla's document or AWS's own. The
// event shares the text.
func FromEnvelope(text []byte) (*Event, error) {
	e := &Event{}
	var account, region, version string
	r := reader{event: e, data: "detail", typed: "detail-type", attribute: func(called string) *string {
		switch called {
		case "detail-type":
			return &e.Type
		case "account":
			return &account
		case "region":
			return &region
		case "version":
			return &version
		case "replay-name":
			return &e.ReplayName
		case "datacontenttype":
			return &e.DataContentType
		case "type":
			return nil
		}
		return e.attribute(called, &version)
	}}
	resources, typed, subject := []byte(nil), false, false
	err := r.read(text, func(called string, value []byte) (bool, error) {
		switch called {
		case "datacontenttype":
			typed = true
		case "subject":
			subject = true
		case "resources":
			if resources = value; !isList(string(value)) && !isEmptyList(value) {
				return true, fmt.Errorf("resources is %.40s; want a list of texts", value)
			}
			return true, nil
		default:
			if plain, ok := strings.CutPrefix(called, "ce-"); ok && taken(plain) {
				return true, r.extension(plain, value)
			}
		}
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read an event in EventBridge's form: %w", err)
	}
	e.SetPlace(account, region)
	if isList(string(resources)) {
		e.Set(Resources, string(resources))
		if !subject {
			e.Subject = firstOf(string(resources))
		}
	}
	if !typed && (r.plain != nil || r.encoded != nil) {
		e.DataContentType = JSON
	}
	if err := r.finish(); err != nil {
		return nil, fmt.Errorf("read an event in EventBridge's form: %w", err)
	}
	return e, nil
}

// isEmptyList tells whether a value is a list without elements.
func isEmptyList(value []byte) bool {
	n := 0
	return jsonwalk.Elements(value, func([]byte) bool { n++; return true }) && n == 0
}

// reader reads an event from members of a JSON object.
type reader struct {
	event *Event
	// attribute is where the text of a member belongs, nil if it is none of those.
	attribute   func(called string) *string
	data, typed string // how the data and the type are called
	plain       []byte // data as it is written
	// encoded is data in base64, as a string of JSON.
	encoded []byte
}

// read goes through the members. own may take one; of others, known names are texts
// and the rest are extensions.
func (r *reader) read(text []byte, own func(called string, value []byte) (bool, error)) (err error) {
	if !jsonwalk.Valid(text, 0) || !utf8.Valid(text) {
		return errors.New("it is no JSON, or nested too deep")
	}
	if !jsonwalk.Members(text, func(called string, value []byte) bool {
		var done bool
		if done, err = own(called, value); err == nil && !done {
			err = r.member(called, value)
		}
		return err == nil
	}) {
		return fmt.Errorf("an event is an object of JSON; this is %.40q", bytes.TrimSpace(text))
	}
	return err
}

func (r *reader) member(called string, value []byte) error {
	switch called {
	case r.data:
		r.plain = value
		return nil
	case "data_base64":
		r.encoded = value
		return nil
	}
	to := r.attribute(called)
	if to == nil {
		return r.extension(called, value)
	}
	if string(value) == "null" {
		*to = ""
		return nil
	}
	text, ok := jsonwalk.String(value)
	if !ok {
		return fmt.Errorf("%s is %.40s; want a text", called, value)
	}
	*to = text
	return nil
}

// extension takes an extension attribute. Numbers and booleans become texts, as
// where CloudEvents are headers.
func (r *reader) extension(called string, value []byte) error {
	if !Name(called) || called == "type" {
		return fmt.Errorf("%.80q is neither a member of an event nor the name of an extension attribute: those have the letters a-z and digits", called)
	}
	switch value[0] {
	case '"':
		text, _ := jsonwalk.String(value)
		r.event.Set(called, text)
	case '{', '[': // CloudEvents' types are all scalar
		return fmt.Errorf("the extension attribute %s is no text, number or boolean; put it into the data", called)
	case 'n':
		r.event.Set(called, "") // unset
	default:
		r.event.Set(called, string(value))
	}
	return nil
}

// finish takes the data, and checks that there is what an event must have.
func (r *reader) finish() error {
	e := r.event
	if err := r.event.readData(r.data, r.plain, r.encoded); err != nil {
		return err
	}
	for _, must := range [...]struct{ called, text string }{{"id", e.ID}, {"source", e.Source}, {r.typed, e.Type}} {
		if must.text == "" {
			return fmt.Errorf("the event has no %s", must.called)
		}
	}
	if ms, ok := ParseTime(e.Time); ok {
		e.TimeMs = ms
	} else if e.Time != "" {
		return fmt.Errorf("time is %.60q; want RFC 3339, as 2026-11-26T16:00:00Z", e.Time)
	}
	return nil
}
