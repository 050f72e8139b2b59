// Package line is one record as one line of JSON, the form that
// `ottla consume -o ndjson` writes and `ottla produce --input ndjson` takes
// back unchanged. Null, empty and absent are three different things: a null
// key or value is JSON null, an empty one "". Bytes that are not UTF-8 stand in
// key_base64 and value_base64.
package line

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Record is the JSON form. Times are RFC 3339 with milliseconds, UTC.
type Record struct {
	Topic       string   `json:"topic,omitempty"`
	Partition   *int32   `json:"partition,omitempty"`
	Offset      *int64   `json:"offset,omitempty"`
	Timestamp   string   `json:"timestamp,omitempty"`
	Key         *string  `json:"key"`
	KeyBase64   *string  `json:"key_base64,omitempty"`
	Value       *string  `json:"value"`
	ValueBase64 *string  `json:"value_base64,omitempty"`
	Headers     []Header `json:"headers,omitempty"`
}

// Header is one record header.
type Header struct {
	Name        string  `json:"name"`
	Value       *string `json:"value"`
	ValueBase64 *string `json:"value_base64,omitempty"`
}

// timeForm is RFC 3339 with the milliseconds that Kafka keeps.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

// Of makes the JSON form of a record.
func Of(r *kgo.Record) Record {
	out := Record{Topic: r.Topic, Partition: &r.Partition, Offset: &r.Offset, Timestamp: r.Timestamp.UTC().Format(timeForm)}
	out.Key, out.KeyBase64 = text(r.Key)
	out.Value, out.ValueBase64 = text(r.Value)
	for _, h := range r.Headers {
		n := Header{Name: h.Key}
		n.Value, n.ValueBase64 = text(h.Value)
		out.Headers = append(out.Headers, n)
	}
	return out
}

// Append appends the line, with its newline, to dst.
func Append(dst []byte, r *kgo.Record) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(Of(r)); err != nil {
		return dst, fmt.Errorf("record %s-%d at %d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	return append(dst, b.Bytes()...), nil
}

// Parsed is a line read back.
type Parsed struct {
	key, value []byte
	headers    []kgo.RecordHeader
	timestamp  time.Time
}

// Parse reads a line. Unknown fields are refused, so that a mistyped one is
// not lost silently.
func Parse(b []byte) (*Parsed, error) {
	var r Record
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one JSON value on the line")
	}
	p := &Parsed{}
	var err error
	if p.key, err = raw("key", r.Key, r.KeyBase64); err != nil {
		return nil, err
	}
	if p.value, err = raw("value", r.Value, r.ValueBase64); err != nil {
		return nil, err
	}
	for _, h := range r.Headers {
		v, err := raw("header "+h.Name, h.Value, h.ValueBase64)
		if err != nil {
			return nil, err
		}
		p.headers = append(p.headers, kgo.RecordHeader{Key: h.Name, Value: v})
	}
	if r.Timestamp != "" {
		if p.timestamp, err = time.Parse(time.RFC3339Nano, r.Timestamp); err != nil {
			return nil, fmt.Errorf("timestamp: %w", err)
		}
	}
	return p, nil
}

// Apply puts the line's key, value, headers and time into r; topic and
// partition stay those of the command.
func (p *Parsed) Apply(r *kgo.Record) {
	r.Key, r.Value, r.Timestamp = p.key, p.value, p.timestamp
	r.Headers = append(r.Headers[:len(r.Headers):len(r.Headers)], p.headers...)
}

func text(b []byte) (plain, encoded *string) {
	if b == nil {
		return nil, nil
	}
	if utf8.Valid(b) {
		s := string(b)
		return &s, nil
	}
	s := base64.StdEncoding.EncodeToString(b)
	return nil, &s
}

func raw(what string, plain, encoded *string) ([]byte, error) {
	switch {
	case plain != nil && encoded != nil:
		return nil, fmt.Errorf("%s is given twice, as text and as base64", what)
	case plain != nil:
		return []byte(*plain), nil
	case encoded != nil:
		b, err := base64.StdEncoding.DecodeString(*encoded)
		if err != nil {
			return nil, fmt.Errorf("%s_base64: %w", what, err)
		}
		return b, nil
	}
	return nil, nil
}
