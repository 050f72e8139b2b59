package dlq

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/letter"
)

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

// Filter chooses letters; nil takes them all.
type Filter func(*letter.Letter) bool

// Takes tells whether a letter is chosen.
func (f Filter) Takes(l *letter.Letter) bool { return f == nil || f(l) }

// recordOf is the record as it is put back: to topic when that is named, else to
// where it came from, and there into the partition it came from.
func recordOf(l *letter.Letter, topic string) *kgo.Record {
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
			times = max(0, letter.Number(string(h.Value), 32))
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
