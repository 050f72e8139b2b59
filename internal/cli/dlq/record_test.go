package dlq

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/letter"
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

func TestARecordPutBackTellsItsStory(t *testing.T) {
	text := func(r *kgo.Record) (out string) {
		out = fmt.Sprintf("%s/%d %s=%s", r.Topic, r.Partition, r.Key, r.Value)
		for _, h := range r.Headers {
			out += fmt.Sprintf(" %s=%s", h.Key, h.Value)
		}
		return out
	}
	first := recordOf(letter.Read(letterOf("t", 3, 9, 5, "mine", "h")), "")
	if got, want := text(first), "t/3 k=v mine=h ottla.redrive.origin=t-3@9 ottla.redrive.group=g ottla.redrive.reason=why ottla.redrive.letter=dlq.t-1@7 ottla.redrive.times=1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	again := letterOf("t", 3, 12, 2)
	again.Headers = append(again.Headers, first.Headers...)
	again.Offset = 8
	if got, want := text(recordOf(letter.Read(again), "other")), "other/-1 k=v mine=h ottla.redrive.origin=t-3@9 ottla.redrive.group=g ottla.redrive.reason=why ottla.redrive.letter=dlq.t-1@8 ottla.redrive.times=2"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
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
