package envelope

import (
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// How attributes are called in headers of records.
const (
	prefix      = "ce_"
	contentType = "content-type"
	structured  = "application/cloudevents+json"
)

const (
	typeText  = "text/plain"
	typeBytes = "application/octet-stream"
)

// ForeignType is the type of records that are no CloudEvents.
const ForeignType = "ottla.record"

// Read gives the event that a record is. It keeps the slices.
func Read(topic string, partition int32, offset, timestampMs int64, key, value []byte, headers []Header) *Event {
	e := &Event{Key: key, TimeMs: timestampMs, StoredMs: timestampMs}
	if !e.readBinary(value, headers) && !e.readStructured(value, headers) {
		e.foreign(topic, partition, offset, timestampMs, value, headers)
	}
	if ms, ok := ParseTime(e.Time); ok {
		e.TimeMs = ms
	}
	return e
}

// readBinary reads a record whose attributes are headers.
func (e *Event) readBinary(value []byte, headers []Header) bool {
	version, all := "", textOf(headers)
	for i, h := range headers {
		text := ""
		if isAttribute(h.Name) {
			text, all = all[:len(h.Value)], all[len(h.Value):]
		}
		if h.Name == contentType && e.DataContentType == "" && utf8.Valid(h.Value) {
			e.DataContentType = text
			continue
		}
		called, is := strings.CutPrefix(h.Name, prefix)
		if !is || !Name(called) || len(h.Value) == 0 || !utf8.Valid(h.Value) {
			e.Headers = append(e.Headers, h)
			continue
		}
		to := e.attribute(called, &version)
		if to == nil {
			if slices.ContainsFunc(e.Extensions, func(x Extension) bool { return x.Name == called }) {
				e.Headers = append(e.Headers, h)
				continue
			}
			if e.Extensions == nil {
				e.Extensions = make([]Extension, 0, len(headers)-i)
			}
			e.Extensions = append(e.Extensions, Extension{called, text})
			continue
		}
		if *to != "" {
			e.Headers = append(e.Headers, h) // said twice: the first counts
			continue
		}
		*to = text
	}
	if version != "1.0" || e.ID == "" || e.Source == "" || e.Type == "" {
		*e = Event{Key: e.Key, TimeMs: e.TimeMs, StoredMs: e.StoredMs}
		return false
	}
	e.sort()
	e.Data = value
	return true
}

// isAttribute tells whether a header may be an attribute.
func isAttribute(header string) bool {
	return header == contentType || strings.HasPrefix(header, prefix)
}

// textOf is what all attributes say, one after the other: one text in memory.
func textOf(headers []Header) string {
	n := 0
	for i := range headers {
		if isAttribute(headers[i].Name) {
			n += len(headers[i].Value)
		}
	}
	var b strings.Builder
	b.Grow(n)
	for i := range headers {
		if isAttribute(headers[i].Name) {
			b.Write(headers[i].Value)
		}
	}
	return b.String()
}

// attribute is where the text of a core attribute belongs; nil for extensions.
func (e *Event) attribute(called string, version *string) *string {
	switch called {
	case "specversion":
		return version
	case "id":
		return &e.ID
	case "source":
		return &e.Source
	case "type":
		return &e.Type
	case "subject":
		return &e.Subject
	case "time":
		return &e.Time
	case "dataschema":
		return &e.DataSchema
	}
	return nil
}

func (e *Event) sort() {
	slices.SortFunc(e.Extensions, func(a, b Extension) int { return strings.Compare(a.Name, b.Name) })
}

// readStructured reads a record whose value is an event in CloudEvents' JSON format.
func (e *Event) readStructured(value []byte, headers []Header) bool {
	at := slices.IndexFunc(headers, func(h Header) bool { return h.Name == contentType })
	if at < 0 || !IsStructured(string(headers[at].Value)) {
		return false
	}
	in, err := FromCloudEvent(value)
	if err != nil || slices.ContainsFunc(headers, func(h Header) bool { return strings.HasPrefix(h.Name, prefix) }) {
		return false
	}
	in.Key, in.TimeMs, in.StoredMs = e.Key, e.TimeMs, e.StoredMs
	in.Headers = append(in.Headers, headers[:at]...)
	in.Headers = append(in.Headers, headers[at+1:]...)
	*e = *in
	return true
}

// foreign makes up the attributes of a record that somebody wrote who knows nothing
// of events.
func (e *Event) foreign(topic string, partition int32, offset, timestampMs int64, value []byte, headers []Header) {
	e.Foreign = true
	e.ID = topic + "-" + strconv.Itoa(int(partition)) + "-" + strconv.FormatInt(offset, 10)
	e.Source, e.Type = "kafka:"+topic, ForeignType
	e.Time = string(AppendTime(nil, timestampMs))
	e.Data, e.Headers = value, headers
	if len(e.Key) > 0 && utf8.Valid(e.Key) {
		e.Extensions = []Extension{{PartitionKey, string(e.Key)}}
	}
	switch {
	case value == nil:
	case showsJSON(value):
		e.DataContentType = JSON
	case utf8.Valid(value):
		e.DataContentType = typeText
	default:
		e.DataContentType = typeBytes
	}
}

// IsStructured tells whether a content type is that of one event in CloudEvents' JSON
// format.
func IsStructured(content string) bool {
	kind, _, err := mime.ParseMediaType(content)
	return err == nil && kind == structured
}

// Name tells whether an extension may be called so: lower-case letters and digits,
// and not as what an event has anyway.
func Name(called string) bool {
	for i := range len(called) {
		if c := called[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return called != "" && called != "data" && called != "datacontenttype"
}
