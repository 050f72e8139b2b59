package place

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
)

// Event is the event that a record is. It shares the record's bytes.
func Event(r *kgo.Record) *envelope.Event {
	return envelope.Read(r.Topic, r.Partition, r.Offset, r.Timestamp.UnixMilli(), r.Key, r.Value, Headers(r))
}

// Headers are a record's.
func Headers(r *kgo.Record) []envelope.Header {
	out := make([]envelope.Header, len(r.Headers))
	for i, h := range r.Headers {
		out[i] = envelope.Header{Name: h.Key, Value: h.Value}
	}
	return out
}

// Record is the record that stores an event, Anywhere in a topic.
func Record(topic string, e *envelope.Event) *kgo.Record {
	key, value, headers := e.Record()
	r := &kgo.Record{Topic: topic, Partition: Anywhere, Key: key, Value: value, Headers: make([]kgo.RecordHeader, len(headers))}
	for i, h := range headers {
		r.Headers[i] = kgo.RecordHeader{Key: h.Name, Value: h.Value}
	}
	return r
}
