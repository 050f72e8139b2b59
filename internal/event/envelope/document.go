package envelope

import (
	"bytes"

	"ottla/internal/event/jsonwalk"
	"ottla/internal/event/name"
)

// AppendDocument adds the event as patterns, paths and transforms see it: EventBridge's
// envelope, and CloudEvents' attributes beside.
func (e *Event) AppendDocument(dst []byte) []byte { return e.endDocument(e.appendMembers(dst)) }

// endDocument adds what a document has behind the members of every envelope.
func (e *Event) endDocument(dst []byte) []byte {
	dst = appendMember(dst, "specversion", "1.0")
	dst = e.appendSubject(dst)
	if e.DataContentType != "" || e.Data != nil {
		dst = appendMember(dst, "datacontenttype", e.DataContentType)
	}
	return append(e.appendRest(dst), '}')
}

// AppendEnvelope adds the event as EventBridge gives it to targets. What the envelope
// has no member for is there only if the event has it: an event that was put through
// EventBridge's API shows exactly as there.
func (e *Event) AppendEnvelope(dst []byte) []byte { return e.endEnvelope(e.appendMembers(dst)) }

// EnvelopeOf is AppendEnvelope of an event whose document is there: both begin alike, and
// that is by far the most of it.
func (e *Event) EnvelopeOf(document []byte) []byte {
	var room [2][256]byte
	members, ok := bytes.CutSuffix(document, e.endDocument(room[0][:0]))
	if !ok {
		return e.AppendEnvelope(nil)
	}
	end := e.endEnvelope(room[1][:0])
	return append(append(make([]byte, 0, len(members)+len(end)), members...), end...)
}

func (e *Event) endEnvelope(dst []byte) []byte {
	if e.Subject == "" || e.Subject != firstOf(e.Extension(Resources)) {
		dst = e.appendSubject(dst)
	}
	if e.DataContentType != e.usualType() {
		dst = appendMember(dst, "datacontenttype", e.DataContentType)
	}
	return append(e.appendRest(dst), '}')
}

// appendMembers adds what EventBridge's envelope always has.
func (e *Event) appendMembers(dst []byte) []byte {
	dst = append(dst, `{"version":"0","id":`...)
	dst = jsonwalk.AppendString(dst, e.ID)
	dst = appendMember(dst, "detail-type", e.Type)
	dst = appendMember(dst, "source", e.Source)
	dst = appendMember(dst, "account", or(e.Extension(Account), name.DefaultAccount))
	if e.Time != "" {
		dst = appendMember(dst, "time", e.Time)
	} else {
		dst = append(AppendTime(append(dst, `,"time":"`...), e.TimeMs), '"')
	}
	dst = appendMember(dst, "region", or(e.Extension(Region), name.DefaultRegion))
	dst = append(dst, `,"resources":`...)
	if list := e.Extension(Resources); isList(list) {
		dst = append(dst, list...)
	} else {
		dst = append(dst, `[]`...)
	}
	return e.appendData(dst, "detail")
}

// appendSubject adds the subject. An event that has resources and no subject says so,
// since the first resource is the subject where nothing is said.
func (e *Event) appendSubject(dst []byte) []byte {
	if e.Subject == "" {
		if isList(e.Extension(Resources)) {
			dst = append(dst, `,"subject":null`...)
		}
		return dst
	}
	return appendMember(dst, "subject", e.Subject)
}

// usualType is the content type of an event whose envelope says none.
func (e *Event) usualType() string {
	if e.Data == nil {
		return ""
	}
	return JSON
}

// appendRest adds the attributes that EventBridge does not have, and the replay.
func (e *Event) appendRest(dst []byte) []byte {
	if e.DataSchema != "" {
		dst = appendMember(dst, "dataschema", e.DataSchema)
	}
	for _, x := range e.Extensions {
		switch {
		case x.Name == Account || x.Name == Region || x.Name == Resources && isList(x.Value):
		case taken(x.Name):
			dst = appendMember(dst, "ce-"+x.Name, x.Value)
		default:
			dst = appendMember(dst, x.Name, x.Value)
		}
	}
	if e.ReplayName != "" {
		dst = appendMember(dst, "replay-name", e.ReplayName)
	}
	return dst
}

// taken tells whether an extension is called like a member of the envelope.
func taken(called string) bool {
	switch called {
	case "version", "account", "region", "resources", "detail":
		return true
	}
	return false
}

// isList tells whether a text is a list of one or more texts, as the envelope has it.
func isList(text string) bool {
	if len(text) < len(`[""]`) || text[0] != '[' {
		return false
	}
	good := true
	whole := jsonwalk.Elements([]byte(text), func(value []byte) bool {
		good = value[0] == '"'
		return good
	})
	return whole && good
}

// firstOf is the first text of a list, "" if it is none.
func firstOf(list string) (first string) {
	if isList(list) {
		jsonwalk.Elements([]byte(list), func(value []byte) bool {
			first, _ = jsonwalk.String(value)
			return false
		})
	}
	return first
}

func appendMember(dst []byte, called, value string) []byte {
	dst = append(append(append(dst, `,"`...), called...), `":`...)
	return jsonwalk.AppendString(dst, value)
}

func or(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}
