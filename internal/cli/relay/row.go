package relay

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/jsonwalk"
)

// Row is one row of an outbox table, by Debezium's names.
type Row struct {
	ID            any // int64 or string: what the table finds it by
	AggregateType string
	AggregateID   string
	Type          string
	Payload       []byte // nil is none
	Time          string // RFC 3339; "" where the table has none
	Extensions    []envelope.Extension
}

// Written is a row that was written: its id, and a sum that tells it from another that
// has the id.
type Written struct {
	ID  any
	Sum string
}

// mostSeen is how many rows are remembered at least, once so many were written.
const mostSeen = 20_000

// seen remembers which rows were written lately: a database that is read where deletions
// come late gives them again.
type seen struct {
	young, old map[any]string // sums by id
}

func (s *seen) add(all []Written) {
	if s.young == nil || len(s.young) >= mostSeen {
		s.young, s.old = map[any]string{}, s.young
	}
	for _, w := range all {
		s.young[w.ID] = w.Sum
	}
}

func (s *seen) sum(id any) (sum string, was bool) {
	if sum, was = s.young[id]; !was {
		sum, was = s.old[id]
	}
	return sum, was
}

func sumsOf(all []Written) map[any]string {
	out := make(map[any]string, len(all))
	for _, w := range all {
		out[w.ID] = w.Sum
	}
	return out
}

// sum is a short one over all that a row is: it is kept for each row of a transaction,
// and an id that comes again is rare.
func (r *Row) sum() string {
	h := sha256.New()
	add := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	for _, s := range []string{fmt.Sprintf("%T %[1]v", r.ID), r.AggregateType, r.AggregateID, r.Type, r.Time} {
		add([]byte(s))
	}
	add(r.Payload)
	for _, x := range r.Extensions {
		add([]byte(x.Name))
		add([]byte(x.Value))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:6])
}

// RowError is a row that cannot become a record; nothing behind it is written.
type RowError struct {
	ID    any
	Cause error
}

// Error names the row.
func (e *RowError) Error() string { return fmt.Sprintf("row %v: %v", e.ID, e.Cause) }

// Unwrap is the cause.
func (e *RowError) Unwrap() error { return e.Cause }

// Shape is what all records of a relay have.
type Shape struct {
	Topic       string
	Source      string // "" is the row's aggregatetype
	ContentType string // "" is by what the payload is
}

// Record is the row as a CloudEvent in a record: id, source, type, subject, and the key
// that keeps the events of an aggregate in order.
func (s *Shape) Record(r *Row) (*kgo.Record, error) {
	e := &envelope.Event{
		ID: fmt.Sprint(r.ID), Source: s.Source, Type: r.Type, Subject: r.AggregateID, Time: r.Time,
		DataContentType: s.ContentType, Data: r.Payload, Key: []byte(r.AggregateID),
	}
	if e.Source == "" {
		e.Source = r.AggregateType
	}
	if r.AggregateID == "" {
		e.Key = nil
	}
	for _, x := range r.Extensions {
		e.Set(x.Name, x.Value)
	}
	e.Set(envelope.PartitionKey, r.AggregateID)
	if e.DataContentType == "" && r.Payload != nil {
		e.DataContentType = contentOf(r.Payload)
	}
	if err := e.Check(); err != nil {
		return nil, &RowError{r.ID, err}
	}
	key, value, headers := e.Record()
	out := &kgo.Record{Topic: s.Topic, Key: key, Value: value, Headers: make([]kgo.RecordHeader, len(headers))}
	for i, h := range headers {
		out.Headers[i] = kgo.RecordHeader{Key: h.Name, Value: h.Value}
	}
	return out, nil
}

func contentOf(data []byte) string {
	switch {
	case jsonwalk.Valid(data, 0):
		return envelope.JSON
	case utf8.Valid(data):
		return "text/plain"
	}
	return "application/octet-stream"
}
