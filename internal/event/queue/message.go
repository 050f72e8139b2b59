package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/kafka/queues"
	"ottla/internal/record"
)

// Attribute is one of a message's attributes: Type is String, Number or Binary,
// perhaps with a dot and a label behind it.
type Attribute struct {
	Type  string
	Value []byte
}

// Message is what is sent.
type Message struct {
	Body []byte
	// Attributes travel as record headers of their names; one whose type is
	// not String has its type in another ("ottla.type.NAME").
	Attributes map[string]Attribute
	// System are system attributes: AWSTraceHeader.
	System map[string]string
	// Group is the message group, the record's key. FIFO queues need one.
	Group string
	// DedupID drops the message if one of that id was sent within five minutes
	// (FIFO queues; see Spec.ContentDedup).
	DedupID string
	// DelayMs is how long nobody can take it; -1 says what the queue says.
	DelayMs int64
	// Once names the message while it is delayed: one of the same name that is sent to
	// the queue then takes its place. "" is a name of its own.
	Once string
}

// Sent is what became of one message of Send.
type Sent struct {
	ID string
	// Sequence grows within a message group of a FIFO queue; "" elsewhere and
	// for messages that are delayed.
	Sequence string
	Err      error
}

// TakeOptions say how to take.
type TakeOptions struct {
	Max          int   // messages, 1 when 0
	WaitMs       int64 // -1: the queue's
	VisibilityMs int64 // -1: the queue's
	// AttemptID makes the same Take of a FIFO queue again within five minutes
	// give the same messages, as long as nothing was done with them.
	AttemptID string
}

// Taken is a message that was taken.
type Taken struct {
	Message
	ID      string
	Receipt string
	// SentMs and FirstTakenMs are times since 1970; FirstTakenMs is 0 where it
	// is not known any more.
	SentMs, FirstTakenMs int64
	Count                int32 // how often it was taken, this time included
	Sequence             string
	// DeadLetterSource is the queue that it came from, of a dead letter.
	DeadLetterSource string // an ARN, or a topic's name
	Partition        int32
	Offset           int64
}

// Nack gives a message back.
type Nack struct {
	Receipt string
	DelayMs int64 // until it can be taken again; -1: as the queue's Backoff says
	// Unseen gives the message back at once, as if it had never been taken: nobody has
	// seen it. It is for who took it of this Service.
	Unseen bool
}

// Extension holds a message longer.
type Extension struct {
	Receipt string
	ForMs   int64 // from now on; 0 gives it back at once
}

// Headers of dead letters, by Kafka's names (KIP-1191).
const (
	deadPrefix    = "__dlq."
	deadTopic     = "__dlq.errors.topic"
	deadPartition = "__dlq.errors.partition"
)

// headers are those of a message: its attributes by name, then what is ours.
func (m *Message) headers() []kgo.RecordHeader {
	if len(m.Attributes)+len(m.System)+len(m.DedupID) == 0 {
		return nil
	}
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

// ErrDelays says that messages do not go into the queue's topic at once: Send
// them.
var ErrDelays = errors.New("the queue delays its messages")

// Records makes messages to the records that they are in the queue's topic, for
// who writes them in a transaction of his own, as schedules do. A deduplication
// id that a standard queue has no use for is left out. Records have no partition
// of their own (-1): their key says which. ErrDelays says that the messages are to
// be delayed, which Send alone can do; a DelayMs of 0 is none in any queue.
func (s *Service) Records(ctx context.Context, ref Ref, messages []Message) ([]*kgo.Record, error) {
	q, err := s.stand(ctx, ref)
	if err != nil {
		return nil, err
	}
	out := make([]*kgo.Record, 0, len(messages))
	for _, m := range messages {
		if !q.FIFO {
			m.DedupID = ""
		}
		atOnce := m.DelayMs == 0
		delay, err := q.prepare(&m)
		if err != nil {
			return nil, err
		}
		if delay > 0 && !atOnce {
			return nil, fmt.Errorf("queue %s: %w", ref.Name, ErrDelays)
		}
		out = append(out, &kgo.Record{Topic: q.Topic, Partition: -1, Key: m.key(), Value: m.Body, Headers: m.headers(), Timestamp: s.o.Now()})
	}
	return out, nil
}
