package queue

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/kafka/queues"
	"ottla/internal/record"
)

// Headers of dead letters, by Kafka's names (KIP-1191).
const (
	deadPrefix    = "__dlq."
	deadTopic     = "__dlq.errors.topic"
	deadPartition = "__dlq.errors.partition"
)

// headers are those of a message: its attributes by name, then what is ours.
func (m *Message) headers() []kgo.RecordHeader {
	var out []kgo.RecordHeader
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		a := m.Attributes[name]
		out = append(out, kgo.RecordHeader{Key: name, Value: a.Value})
		if a.Type != "" && a.Type != "String" {
			out = append(out, kgo.RecordHeader{Key: queues.HeaderType + name, Value: []byte(a.Type)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.System)) {
		out = append(out, kgo.RecordHeader{Key: queues.HeaderSystem + name, Value: []byte(m.System[name])})
	}
	if m.DedupID != "" {
		out = append(out, kgo.RecordHeader{Key: queues.HeaderDedup, Value: []byte(m.DedupID)})
	}
	return out
}

// key is the record's key: the message group, null without one.
func (m *Message) key() []byte {
	if m.Group == "" {
		return nil
	}
	return []byte(m.Group)
}

// size is what SQS counts of a message: its body, and the names, types and
// values of its attributes.
func (m *Message) size() int {
	n := len(m.Body)
	for name, a := range m.Attributes {
		n += len(name) + len(a.Type) + len(a.Value)
	}
	return n
}

// read takes a record as a message. The bytes are copied.
func (t *Taken) read(r *record.Record, atMs int64) {
	t.Body = append([]byte{}, r.Value...)
	t.Group = string(r.Key)
	t.DelayMs = -1
	t.SentMs = atMs
	types := map[string]string{}
	for i := range r.Headers {
		h := &r.Headers[i]
		switch {
		case h.Key == queues.HeaderID:
			t.ID = string(h.Value)
		case h.Key == queues.HeaderSent:
			if ms, err := strconv.ParseInt(string(h.Value), 10, 64); err == nil {
				t.SentMs = ms
			}
		case h.Key == queues.HeaderDedup:
			t.DedupID = string(h.Value)
		case strings.HasPrefix(h.Key, queues.HeaderType):
			types[strings.TrimPrefix(h.Key, queues.HeaderType)] = string(h.Value)
		case strings.HasPrefix(h.Key, queues.HeaderSystem):
			if t.System == nil {
				t.System = map[string]string{}
			}
			t.System[strings.TrimPrefix(h.Key, queues.HeaderSystem)] = string(h.Value)
		case h.Key == deadTopic:
			t.DeadLetterSource = string(h.Value)
		case strings.HasPrefix(h.Key, deadPrefix), strings.HasPrefix(h.Key, queues.HeaderPrefix):
		default:
			if t.Attributes == nil {
				t.Attributes = map[string]Attribute{}
			}
			t.Attributes[h.Key] = Attribute{Value: append([]byte{}, h.Value...)}
		}
	}
	for name, a := range t.Attributes {
		switch typ := types[name]; {
		case typ != "":
			a.Type = typ
		case utf8.Valid(a.Value):
			a.Type = "String"
		default:
			a.Type = "Binary"
		}
		t.Attributes[name] = a
	}
}

// sequence is a sequence number, as FIFO queues have them: twenty digits that
// grow with the offset.
func sequence(offset int64) string {
	s := strconv.FormatInt(offset, 10)
	return "1" + strings.Repeat("0", 19-len(s)) + s
}
