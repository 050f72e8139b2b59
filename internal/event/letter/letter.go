package letter

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Prefix begins the names of the headers that a dead letter has beside those of
// its record (KIP-1191).
const Prefix = "__dlq.errors."

// Headers of a queue's message that say what it was before it was moved, and those
// that a schedule's run has which was given up (EventBridge Scheduler's).
const (
	headID      = "ottla.id"
	headSent    = "ottla.sent"
	headError   = "ERROR_MESSAGE"
	headRetries = "RETRY_ATTEMPTS"
)

// Letter is one dead letter.
type Letter struct {
	Topic     string // of the letter
	Partition int32
	Offset    int64
	Time      time.Time // when the record was given up
	// Where the record came from; "" and -1 where the letter does not say.
	OriginTopic     string
	OriginPartition int32
	OriginOffset    int64
	Group           string // that gave it up
	Reason          string
	Deliveries      int64  // -1 where the letter does not say
	ID              string // of a queue's message; "" where it does not say
	SentMs          int64  // when that was sent, since 1970; -1 where it does not say
	Key, Value      []byte
	Headers         []kgo.RecordHeader // the record's own
}

// Read reads a record of a place for dead letters. Headers that are missing or no
// numbers leave their fields unknown: anybody may write there. Bytes are shared
// with the record.
func Read(r *kgo.Record) *Letter {
	var run Letter // what a schedule says
	l := &Letter{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp, Key: r.Key, Value: r.Value,
		OriginPartition: -1, OriginOffset: -1, Deliveries: -1, SentMs: -1}
	for _, h := range r.Headers {
		name, said := strings.CutPrefix(h.Key, Prefix)
		if !said {
			l.Headers = append(l.Headers, h)
			l.own(h, &run)
			continue
		}
		text := string(h.Value)
		switch name {
		case "topic":
			l.OriginTopic = text
		case "partition":
			l.OriginPartition = int32(Number(text, 31))
		case "offset":
			l.OriginOffset = Number(text, 63)
		case "group":
			l.Group = text
		case "message":
			l.Reason = text
		case "delivery.count":
			l.Deliveries = Number(text, 63)
		}
	}
	if l.OriginTopic == "" && l.Reason == "" && run.Reason != "" {
		l.Reason, l.Deliveries = run.Reason, run.Deliveries
	}
	return l
}

// own reads what a header of the record itself says.
func (l *Letter) own(h kgo.RecordHeader, run *Letter) {
	switch h.Key {
	case headError:
		run.Reason = string(h.Value)
	case headRetries:
		run.Deliveries = Number(string(h.Value), 31) + 1
	case headID:
		l.ID = string(h.Value)
	case headSent:
		l.SentMs = Number(string(h.Value), 63)
	}
}

// Number reads a number of at most so many bits; -1 when it is none.
func Number(text string, bits int) int64 {
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return -1
	}
	return int64(n)
}

// Name is topic-partition@offset of the letter.
func (l *Letter) Name() string { return NameOf(l.Topic, l.Partition, l.Offset) }

// Origin is topic-partition@offset of the record, "" where it is unknown.
func (l *Letter) Origin() string {
	if l.OriginTopic == "" || l.OriginPartition < 0 || l.OriginOffset < 0 {
		return ""
	}
	return NameOf(l.OriginTopic, l.OriginPartition, l.OriginOffset)
}

// NameOf is topic-partition@offset.
func NameOf(topic string, partition int32, offset int64) string {
	return fmt.Sprintf("%s-%d@%d", topic, partition, offset)
}

// ParseName is the inverse of NameOf.
func ParseName(name string) (topic string, partition int32, offset int64, err error) {
	place, at, ok := cutLast(name, "@")
	topic, index, ok2 := cutLast(place, "-")
	p, o := Number(index, 31), Number(at, 63)
	if !ok || !ok2 || topic == "" || p < 0 || o < 0 {
		return "", 0, 0, fmt.Errorf("%q names no letter: a letter is TOPIC-PARTITION@OFFSET", name)
	}
	return topic, int32(p), o, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Bare tells whether a letter seems to carry nothing of its record but where
// that lies, as with errors.deadletterqueue.copy.record.enable=false. (A whole
// record without key, value and headers looks the same.)
func (l *Letter) Bare() bool { return l.Key == nil && l.Value == nil && len(l.Headers) == 0 }
