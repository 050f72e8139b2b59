package transform

import (
	"errors"

	"ottla/internal/event/envelope"
	"ottla/internal/event/jsonwalk"
)

var errTooLarge = errors.New("what the template makes of the event has more than 8 MiB")

// fill puts the event's values into the template.
func (t *template) fill(doc []byte, v Vars) ([]byte, error) {
	out := make([]byte, 0, 512)
	for i := range t.parts {
		p := &t.parts[i]
		out = append(out, p.before...)
		if i == len(t.parts)-1 {
			break
		}
		value, ok := p.value(doc, v)
		switch {
		case !ok && !p.quoted:
			out = append(out, `""`...)
		case !ok:
		case len(out)+len(value) > MaxOutput:
			return nil, errTooLarge
		case !p.quoted:
			out = append(out, value...)
		case value[0] == '"':
			out = append(out, value[1:len(value)-1]...)
		case t.text:
			out = appendBare(out, value)
		default:
			out = appendEscaped(out, value)
		}
	}
	if len(out) > MaxOutput {
		return nil, errTooLarge
	}
	return out, nil
}

// value is what a placeholder stands for, as JSON.
func (p *part) value(doc []byte, v Vars) ([]byte, bool) {
	switch p.reserved {
	case "":
		return p.path.Find(doc)
	case ruleARN:
		return jsonwalk.AppendString(nil, v.RuleARN), true
	case ruleName:
		return jsonwalk.AppendString(nil, v.RuleName), true
	case ingestion:
		return jsonwalk.AppendString(nil, envelope.AppendTime(nil, v.Event.StoredMs)), true
	case eventJSON:
		return v.Event.AppendEnvelope(nil), true
	}
	return head(v.Event.AppendEnvelope(nil)), true
}

// head is an envelope without its detail; its type is called detailType there.
func head(text []byte) []byte {
	out := make([]byte, 0, 512)
	jsonwalk.Members(text, func(called string, value []byte) bool {
		switch called {
		case "detail", "data_base64":
			return true
		case "detail-type":
			called = "detailType"
		}
		sep := byte(',')
		if len(out) == 0 {
			sep = '{'
		}
		out = append(jsonwalk.AppendString(append(out, sep), called), ':')
		out = append(out, value...)
		return true
	})
	return append(out, '}')
}

// appendEscaped adds JSON as a part of a string of JSON.
func appendEscaped(out, value []byte) []byte {
	text := jsonwalk.AppendString(nil, value)
	return append(out, text[1:len(text)-1]...)
}

// appendBare adds JSON without its quotation marks, and without the space between its
// values.
func appendBare(out, value []byte) []byte {
	inString := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"':
			inString = !inString
		case c == '\\':
			out = append(out, c, value[i+1])
			i++
		case !inString && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
		default:
			out = append(out, c)
		}
	}
	return out
}
