package delivery

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"

	"ottla/internal/event/jsonwalk"
)

// Notes of parcels and attempts are written for every call, so most of both goes
// without reflection. What is written and read is the same.

// append writes a note as JSON.
func (n *note) append(dst []byte) ([]byte, error) {
	if !n.isPlain() {
		text, err := json.Marshal(n)
		return append(dst, text...), err
	}
	o := object{append(dst, '{')}
	o.text("id", n.ID)
	o.text("event", n.Event)
	o.some("rule", n.Rule)
	o.some("source", n.Source)
	o.text("topic", n.Topic)
	o.number("partition", int64(n.Partition))
	o.number("offset", n.Offset)
	o.some("replay", n.Replay)
	o.some("content_type", n.ContentType)
	if len(n.Key) > 0 {
		o.text("key", base64.StdEncoding.EncodeToString(n.Key))
	}
	if n.Keyed {
		o.yes("keyed", true)
	}
	return o.end(), nil
}

// isPlain tells a note of texts and numbers alone.
func (n *note) isPlain() bool {
	if len(n.Headers)+len(n.Method)+len(n.Path)+len(n.Query)+len(n.LetterHeaders)+len(n.LetterAttributes) > 0 {
		return false
	}
	for _, text := range []string{n.ID, n.Event, n.Rule, n.Source, n.Topic, n.Replay, n.ContentType} {
		if !utf8.ValidString(text) {
			return false
		}
	}
	return true
}

// readNote reads one.
func readNote(text []byte, n *note) error {
	if n.readPlain(text) {
		return nil
	}
	*n = note{}
	return json.Unmarshal(text, n)
}

// readPlain reads what append writes of texts and numbers; false leaves something else
// to those who know all of JSON.
func (n *note) readPlain(text []byte) bool {
	known := utf8.Valid(text)
	whole := known && jsonwalk.Members(text, func(name string, value []byte) bool {
		known = n.take(name, value)
		return known
	})
	return known && whole
}

// take takes one member.
func (n *note) take(name string, value []byte) (ok bool) {
	var to *string
	switch name {
	case "id":
		to = &n.ID
	case "event":
		to = &n.Event
	case "rule":
		to = &n.Rule
	case "source":
		to = &n.Source
	case "topic":
		to = &n.Topic
	case "replay":
		to = &n.Replay
	case "content_type":
		to = &n.ContentType
	case "partition":
		v, err := strconv.ParseInt(string(value), 10, 32)
		n.Partition = int32(v)
		return err == nil
	case "offset":
		v, err := strconv.ParseInt(string(value), 10, 64)
		n.Offset = v
		return err == nil
	case "keyed":
		n.Keyed = string(value) == "true"
		return n.Keyed
	default:
		return false
	}
	*to, ok = jsonwalk.String(value)
	return ok
}

// append writes an attempt as JSON.
func (a *Attempt) append(dst []byte) []byte {
	o := object{append(dst, '{')}
	o.number("at", a.AtMs)
	o.number("took_ms", a.TookMs)
	o.text("target", a.Target)
	o.some("rule", a.Rule)
	o.text("delivery", a.Delivery)
	o.text("event", a.Event)
	o.number("attempt", int64(a.Number))
	o.text("url", a.URL)
	if len(a.Header) > 0 {
		o.name("headers")
		in := object{append(o.b, '{')}
		names := make([]string, 0, 8)
		for name := range a.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			in.comma()
			in.b = append(jsonwalk.AppendString(in.b, valid(name)), ':')
			in.value(a.Header[name])
		}
		o.b = in.end()
	}
	o.some("body", a.Body)
	o.yes("ok", a.OK)
	if a.Status != 0 {
		o.number("status", int64(a.Status))
	}
	o.some("code", a.Code)
	o.some("why", a.Why)
	o.some("answer", a.Answer)
	return o.end()
}

// object is one of JSON that is being written.
type object struct{ b []byte }

func (o *object) comma() {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
}

// name begins a member of ours, in whose name nothing is to be escaped.
func (o *object) name(name string) {
	o.comma()
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *object) value(text string) { o.b = jsonwalk.AppendString(o.b, valid(text)) }

func (o *object) text(name, value string) {
	o.name(name)
	o.value(value)
}

// valid has each byte replaced that is no UTF-8, as encoding/json does.
func valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}

// some is text, unless it is empty.
func (o *object) some(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) number(name string, v int64) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, v, 10)
}

func (o *object) yes(name string, v bool) {
	o.name(name)
	o.b = strconv.AppendBool(o.b, v)
}

func (o *object) end() []byte { return append(o.b, '}') }
