package dlq

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// prefix begins the names of the headers that a dead letter has beside those
// of its record (KIP-1191).
const prefix = "__dlq.errors."

// Headers that a record put back carries, for whoever audits it. Values are
// texts. They stay those of its first journey when it is given up again, but
// for Times and Letter.
const (
	HeadOrigin = "ottla.redrive.origin" // topic-partition@offset that it was first given up at
	HeadGroup  = "ottla.redrive.group"  // who gave it up
	HeadReason = "ottla.redrive.reason" // why
	HeadLetter = "ottla.redrive.letter" // topic-partition@offset of the letter
	HeadTimes  = "ottla.redrive.times"  // how often it was put back, from 1 on
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
	Deliveries      int64 // -1 where the letter does not say
	Key, Value      []byte
	Headers         []kgo.RecordHeader // the record's own
}

// Read reads a record of a dead-letter topic. Headers that are missing or no
// numbers leave their fields unknown: anybody may write into the topic.
func Read(r *kgo.Record) *Letter {
	l := &Letter{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp, Key: r.Key, Value: r.Value,
		OriginPartition: -1, OriginOffset: -1, Deliveries: -1}
	for _, h := range r.Headers {
		name, mine := strings.CutPrefix(h.Key, prefix)
		if !mine {
			l.Headers = append(l.Headers, h)
			continue
		}
		text := string(h.Value)
		switch name {
		case "topic":
			l.OriginTopic = text
		case "partition":
			l.OriginPartition = int32(number(text, 31))
		case "offset":
			l.OriginOffset = number(text, 63)
		case "group":
			l.Group = text
		case "message":
			l.Reason = text
		case "delivery.count":
			l.Deliveries = number(text, 63)
		}
	}
	return l
}

func number(text string, bits int) int64 {
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return -1
	}
	return int64(n)
}

// Name is topic-partition@offset of the letter.
func (l *Letter) Name() string { return at(l.Topic, l.Partition, l.Offset) }

// Origin is topic-partition@offset of the record, "" where it is unknown.
func (l *Letter) Origin() string {
	if l.OriginTopic == "" || l.OriginPartition < 0 || l.OriginOffset < 0 {
		return ""
	}
	return at(l.OriginTopic, l.OriginPartition, l.OriginOffset)
}

func at(topic string, partition int32, offset int64) string {
	return fmt.Sprintf("%s-%d@%d", topic, partition, offset)
}

// Bare tells whether a letter seems to carry nothing of its record but where
// that lies, as with errors.deadletterqueue.copy.record.enable=false. (A whole
// record without key, value and headers looks the same.)
func (l *Letter) Bare() bool { return l.Key == nil && l.Value == nil && len(l.Headers) == 0 }

// record is the record as it is put back: to topic when that is named, else to
// where it came from, and there into the partition it came from.
func (l *Letter) record(topic string) *kgo.Record {
	r := &kgo.Record{Topic: topic, Partition: -1, Key: l.Key, Value: l.Value}
	if topic == "" {
		r.Topic, r.Partition = l.OriginTopic, l.OriginPartition
	}
	audit := map[string]string{HeadOrigin: l.Origin(), HeadGroup: l.Group, HeadReason: l.Reason}
	times := int64(0)
	for _, h := range l.Headers {
		_, first := audit[h.Key]
		switch {
		case h.Key == HeadTimes:
			times = max(0, number(string(h.Value), 32))
		case h.Key == HeadLetter:
		case first:
			audit[h.Key] = string(h.Value)
		default:
			r.Headers = append(r.Headers, h)
		}
	}
	for _, h := range []string{HeadOrigin, HeadGroup, HeadReason} {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h, Value: []byte(audit[h])})
	}
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: HeadLetter, Value: []byte(l.Name())},
		kgo.RecordHeader{Key: HeadTimes, Value: strconv.AppendInt(nil, times+1, 10)})
	return r
}

// Filter chooses letters.
type Filter []func(*Letter) bool

// ParseFilter reads conditions, all of which must hold: key=TEXT (the whole
// key), reason=TEXT (a part of the reason), partition=N and topic=NAME (that
// the record came from), group=NAME (that gave it up).
func ParseFilter(conditions []string) (Filter, error) {
	var f Filter
	for _, c := range conditions {
		name, want, ok := strings.Cut(c, "=")
		if !ok {
			return nil, fmt.Errorf("%q is no condition: it takes key=, reason=, partition=, topic= or group=", c)
		}
		switch name {
		case "key":
			f = append(f, func(l *Letter) bool { return l.Key != nil && string(l.Key) == want })
		case "reason":
			f = append(f, func(l *Letter) bool { return strings.Contains(l.Reason, want) })
		case "partition":
			n, err := strconv.ParseUint(want, 10, 31)
			if err != nil {
				return nil, fmt.Errorf("%q: a partition is a number from 0 on", c)
			}
			f = append(f, func(l *Letter) bool { return l.OriginPartition == int32(n) })
		case "topic":
			f = append(f, func(l *Letter) bool { return l.OriginTopic == want })
		case "group":
			f = append(f, OfGroup(want))
		default:
			return nil, fmt.Errorf("%q: letters are chosen by key, reason, partition, topic and group", c)
		}
	}
	return f, nil
}

// OfGroup chooses the letters of a group.
func OfGroup(name string) func(*Letter) bool {
	return func(l *Letter) bool { return l.Group == name }
}

// Takes tells whether all conditions hold; without any they do.
func (f Filter) Takes(l *Letter) bool {
	for _, c := range f {
		if !c(l) {
			return false
		}
	}
	return true
}
