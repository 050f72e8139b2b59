package dlq

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// letterOf is a letter as kafka/shares writes it.
func letterOf(origin string, partition, offset, count int, own ...string) *kgo.Record {
	r := &kgo.Record{Topic: "dlq.t", Partition: 1, Offset: 7, Key: []byte("k"), Value: []byte("v"), Headers: []kgo.RecordHeader{
		{Key: "__dlq.errors.topic", Value: []byte(origin)}, {Key: "__dlq.errors.partition", Value: fmt.Append(nil, partition)},
		{Key: "__dlq.errors.offset", Value: fmt.Append(nil, offset)}, {Key: "__dlq.errors.group", Value: []byte("g")},
		{Key: "__dlq.errors.message", Value: []byte("why")}, {Key: "__dlq.errors.delivery.count", Value: fmt.Append(nil, count)},
	}}
	for i := 0; i < len(own); i += 2 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: own[i], Value: []byte(own[i+1])})
	}
	return r
}

func TestALetterIsReadFromItsHeaders(t *testing.T) {
	l := Read(letterOf("t", 3, 9, 5, "mine", "h"))
	if l.Name() != "dlq.t-1@7" || l.Origin() != "t-3@9" || l.Group != "g" || l.Reason != "why" || l.Deliveries != 5 || len(l.Headers) != 1 || l.Bare() {
		t.Errorf("got %+v", l)
	}
	for _, r := range []*kgo.Record{{Topic: "dlq.t"}, letterOf("", -3, -9, -5), letterOf("t", 1<<31, 0, 0)} {
		if l := Read(r); l.Origin() != "" {
			t.Errorf("origin %q of %+v", l.Origin(), r)
		}
	}
	if l := Read(&kgo.Record{}); l.Deliveries != -1 || l.OriginPartition != -1 || l.OriginOffset != -1 || !l.Bare() {
		t.Errorf("what is missing is not unknown: %+v", l)
	}
}

func TestARecordPutBackTellsItsStory(t *testing.T) {
	text := func(r *kgo.Record) (out string) {
		out = fmt.Sprintf("%s/%d %s=%s", r.Topic, r.Partition, r.Key, r.Value)
		for _, h := range r.Headers {
			out += fmt.Sprintf(" %s=%s", h.Key, h.Value)
		}
		return out
	}
	first := Read(letterOf("t", 3, 9, 5, "mine", "h")).record("")
	if got, want := text(first), "t/3 k=v mine=h ottla.redrive.origin=t-3@9 ottla.redrive.group=g ottla.redrive.reason=why ottla.redrive.letter=dlq.t-1@7 ottla.redrive.times=1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	again := letterOf("t", 3, 12, 2)
	again.Headers = append(again.Headers, first.Headers...)
	again.Offset = 8
	if got, want := text(Read(again).record("other")), "other/-1 k=v mine=h ottla.redrive.origin=t-3@9 ottla.redrive.group=g ottla.redrive.reason=why ottla.redrive.letter=dlq.t-1@8 ottla.redrive.times=2"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestConditionsChooseLetters(t *testing.T) {
	l := Read(letterOf("t", 3, 9, 5))
	for c, want := range map[string]bool{"key=k": true, "key=": false, "reason=h": true, "reason=x": false, "partition=3": true, "partition=1": false,
		"topic=t": true, "topic=dlq.t": false, "group=g": true, "group=h": false} {
		f, err := ParseFilter([]string{c})
		if err != nil || f.Takes(l) != want {
			t.Errorf("%s: takes %v, %v", c, f.Takes(l), err)
		}
		if both, err := ParseFilter([]string{"key=k", c}); err != nil || both.Takes(l) != want {
			t.Errorf("key=k and %s: takes %v, %v", c, both.Takes(l), err)
		}
	}
	if f, err := ParseFilter(nil); err != nil || !f.Takes(l) {
		t.Errorf("no condition: %v", err)
	}
	none, err := ParseFilter([]string{"key="})
	if err != nil || none.Takes(&Letter{}) || !none.Takes(&Letter{Key: []byte{}}) {
		t.Errorf("key= is not the empty key alone: %v", err)
	}
}

func TestRecordsGoWhereTheyName(t *testing.T) {
	p := Partitioner().ForTopic("t")
	if got := p.Partition(&kgo.Record{Partition: 2, Key: []byte("k")}, 4); got != 2 {
		t.Errorf("partition %d, want 2", got)
	}
	one, two := p.Partition(&kgo.Record{Partition: -1, Key: []byte("k")}, 4), p.Partition(&kgo.Record{Partition: 9, Key: []byte("k")}, 4)
	if one != two || one < 0 || one > 3 {
		t.Errorf("by key: %d and %d", one, two)
	}
}

func TestGapsAndMarkersAreDone(t *testing.T) {
	p := &Part{Start: 2, End: 10, Progress: &Progress{Next: 3}}
	p.passed(&kgo.Record{Offset: 5}) // 3 and 4 were compacted away
	p.passed(&kgo.Record{Offset: 8})
	if p.Progress.Next != 5 || p.Progress.Has(5) || !p.Progress.Has(6) || !p.Progress.Has(7) || p.Progress.Has(8) || p.Waiting() != 3 {
		t.Errorf("got %+v, %d wait", p.Progress, p.Waiting())
	}
}
