package topics

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"ottla/internal/event/envelope"
	"ottla/internal/event/jsonwalk"
	"ottla/internal/gateway/rest"
)

// attributePrefix begins the names of headers that are attributes.
const attributePrefix = "Ce-"

// typeForm is what curl takes bodies for.
const typeForm = "application/x-www-form-urlencoded"

// binary reads an event whose attributes are headers.
func binary(h http.Header, body []byte) (*envelope.Event, error) {
	e := &envelope.Event{DataContentType: h.Get("Content-Type")}
	if len(body) > 0 { // else there is no data
		e.Data = body
	}
	if e.DataContentType == typeForm && jsonwalk.Valid(body, 0) {
		e.DataContentType = envelope.JSON // curl -d says so of whatever it sends
	}
	version := ""
	for called, values := range h {
		attribute, is := strings.CutPrefix(called, attributePrefix)
		if !is {
			continue
		}
		attribute = strings.ToLower(attribute)
		if len(values) != 1 {
			return nil, rest.Invalid("the header ce-%s is there %d times; an attribute has one value", attribute, len(values))
		}
		text, err := decoded(values[0])
		if err != nil {
			return nil, rest.Invalid("the header ce-%s is %.80q, which cannot be decoded: %v", attribute, values[0], err)
		}
		switch attribute {
		case "specversion":
			version = text
		case "id":
			e.ID = text
		case "source":
			e.Source = text
		case "type":
			e.Type = text
		case "subject":
			e.Subject = text
		case "time":
			e.Time = text
		case "dataschema":
			e.DataSchema = text
		default:
			e.Set(attribute, text)
		}
	}
	if version == "" {
		return nil, rest.Refusal(http.StatusUnsupportedMediaType, "NO_CLOUDEVENT",
			"this is no CloudEvent: it has neither ce- headers nor the content type "+typeEvent+" or "+typeBatch,
			"send curl -H 'ce-specversion: 1.0' -H 'ce-id: 1' -H 'ce-source: /here' -H 'ce-type: Thing' …, or a plain record to POST /t/NAME")
	}
	if version != "1.0" {
		return nil, rest.Invalid("ce-specversion is %.40q; want 1.0", version)
	}
	return e, nil
}

// decoded is what a header's value means: CloudEvents' HTTP binding encodes what
// headers cannot hold with percent signs.
func decoded(value string) (string, error) {
	if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
		value = strings.ReplaceAll(strings.ReplaceAll(value[1:len(value)-1], `\"`, `"`), `\\`, `\`)
	}
	if !strings.Contains(value, "%") {
		return value, nil
	}
	return url.PathUnescape(value)
}

// encoded is the inverse of decoded.
func encoded(text string) string {
	plain := true
	for i := range len(text) {
		plain = plain && !escapes(text[i])
	}
	if plain {
		return text
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; escapes(c) {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// escapes tells which bytes do not stand in a header: all but what is printable in
// ASCII, and space, quotation mark and percent sign.
func escapes(c byte) bool { return c <= ' ' || c >= utf8.RuneSelf-1 || c == '"' || c == '%' }

// setBinary puts an event's attributes into headers.
func setBinary(h http.Header, e *envelope.Event) {
	set := func(called, text string) {
		if text != "" {
			h["Ce-"+strings.ToUpper(called[:1])+called[1:]] = []string{encoded(text)}
		}
	}
	set("specversion", "1.0")
	set("id", e.ID)
	set("source", e.Source)
	set("type", e.Type)
	set("subject", e.Subject)
	set("time", e.Time)
	set("dataschema", e.DataSchema)
	for _, x := range e.Extensions {
		set(x.Name, x.Value)
	}
	if e.DataContentType != "" {
		h.Set("Content-Type", e.DataContentType)
	} else {
		h["Content-Type"] = nil // none is guessed
	}
}
