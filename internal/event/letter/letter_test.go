package letter

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var now = time.UnixMilli(1_800_000_000_000)

// letterOf is a letter as kafka/shares writes it.
func letterOf(origin string, partition, offset, count int, own ...string) *kgo.Record {
	r := &kgo.Record{Topic: "dlq.t", Partition: 1, Offset: 7, Key: []byte("k"), Value: []byte("v"), Timestamp: now.Add(-time.Hour), Headers: []kgo.RecordHeader{
		{Key: "__dlq.errors.topic", Value: []byte(origin)}, {Key: "__dlq.errors.partition", Value: fmt.Append(nil, partition)},
		{Key: "__dlq.errors.offset", Value: fmt.Append(nil, offset)}, {Key: "__dlq.errors.group", Value: []byte("g")},
		{Key: "__dlq.errors.message", Value: []byte("the why of it")}, {Key: "__dlq.errors.delivery.count", Value: fmt.Append(nil, count)},
	}}
	for i := 0; i < len(own); i += 2 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: own[i], Value: []byte(own[i+1])})
	}
	return r
}

func TestALetterIsReadFromItsHeaders(t *testing.T) {
	l := Read(letterOf("t", 3, 9, 5, "mine", "h", "ottla.id", "x-1", "ottla.sent", "17"))
	if l.Name() != "dlq.t-1@7" || l.Origin() != "t-3@9" || l.Group != "g" || l.Reason != "the why of it" || l.Deliveries != 5 || len(l.Headers) != 3 || l.Bare() ||
		l.ID != "x-1" || l.SentMs != 17 {
		t.Errorf("got %+v", l)
	}
	for _, r := range []*kgo.Record{{Topic: "dlq.t"}, letterOf("", -3, -9, -5), letterOf("t", 1<<31, 0, 0)} {
		if l := Read(r); l.Origin() != "" {
			t.Errorf("origin %q of %+v", l.Origin(), r)
		}
	}
	if l := Read(&kgo.Record{}); l.Deliveries != -1 || l.OriginPartition != -1 || l.OriginOffset != -1 || l.SentMs != -1 || !l.Bare() {
		t.Errorf("what is missing is not unknown: %+v", l)
	}
}

func TestARunThatWasGivenUpIsALetter(t *testing.T) {
	l := Read(&kgo.Record{Headers: []kgo.RecordHeader{{Key: "ERROR_MESSAGE", Value: []byte("404")}, {Key: "RETRY_ATTEMPTS", Value: []byte("2")}}})
	if l.Reason != "404" || l.Deliveries != 3 || l.Origin() != "" {
		t.Errorf("%+v", l)
	}
	if l := Read(letterOf("t", 1, 1, 5, "ERROR_MESSAGE", "404", "RETRY_ATTEMPTS", "2")); l.Reason != "the why of it" || l.Deliveries != 5 {
		t.Errorf("a message that was given up later: %+v", l)
	}
}

func TestNamesOfLettersAreReadBack(t *testing.T) {
	for _, name := range []string{"dlq.t-1@7", "a-b-0@0", "x@y-3@9223372036854775807"} {
		topic, p, o, err := ParseName(name)
		if err != nil || NameOf(topic, p, o) != name {
			t.Errorf("%s: %s %d %d, %v", name, topic, p, o, err)
		}
	}
	for _, name := range []string{"", "t", "t-1", "t@1", "-1@2", "t-x@1", "t-1@x", "t-1@-2", "t-2147483648@1"} {
		if topic, p, o, err := ParseName(name); err == nil {
			t.Errorf("%q gave %s %d %d", name, topic, p, o)
		}
	}
}

func TestConditionsChooseLetters(t *testing.T) {
	r := letterOf("t", 3, 9, 5, "kind", "invoice", "n", "12")
	r.Value = []byte(`{"customer":7,"name":"Ann","price":9.50,"ok":true,"none":null,"items":[{"sku":"a"},{"sku":"b"}],"big":12345678901234567890}`)
	l := Read(r)
	for c, want := range map[string]bool{
		"key=k": true, "key=": false, "key!=k": false, "key~k": true, "reason=why": true, "reason=x": false, "reason!=x": true, "reason!=why": false, "reason~of": true,
		"partition=3": true, "partition=1": false, "partition!=1": true, "offset>=9": true, "offset<9": false, "topic=t": true, "queue=t": true, "topic=dlq.t": false,
		"group=g": true, "group=h": false, "attempts>3": true, "attempts>5": false, "attempts>=5": true, "deliveries<=5": true, "attempts < 6": true,
		"older=1h": true, "older=61m": false, "newer=1h": false, "newer=1d": true, "age>59m": true, "age<1h": false, "age>=1h": true, "older=0s": true,
		"header.kind=invoice": true, "header.kind!=bill": true, "header.none=x": false, "header.none!=x": true, "header.n>9": true, "header.n<9": false, "header.kind~voi": true,
		"body.customer=7": true, "body.customer=7.0": true, "body.customer=8": false, "body.customer>6": true, "body.customer<=6": false, "body.name=Ann": true,
		"body.name>A": false, "body.price=9.5": true, "body.ok=true": true, "body.none=null": true, "body.none=": false, "body.items.1.sku=b": true, "body.items.2.sku=b": false,
		"body.items.x=b": false, "body.gone=1": false, "body.gone!=1": true, "body.name.deep=1": false, "body.items.0={\"sku\":\"a\"}": true,
		"body.big=12345678901234567890": true, "body~customer": true, "body=x": false, "id=x": false, "id!=x": true,
	} {
		f, err := Parse([]string{c})
		if err != nil || f.Takes(l, now) != want {
			t.Errorf("%s: takes %v, %v", c, !want, err)
			continue
		}
		if both, err := Parse([]string{"key=k", c}); err != nil || both.Takes(l, now) != want {
			t.Errorf("key=k and %s: takes %v, %v", c, both.Takes(l, now), err)
		}
	}
	if f, err := Parse(nil); err != nil || !f.Takes(l, now) {
		t.Errorf("no condition: %v", err)
	}
	if OfGroup("h").Takes(l, now) || !OfGroup("g").Takes(l, now) {
		t.Error("the letters of a group are others")
	}
}

func TestWhatIsUnknownIsTakenByItsOppositeAlone(t *testing.T) {
	for c, want := range map[string]bool{"key=": false, "key!=a": true, "attempts<9": false, "attempts!=9": true, "partition=0": false, "topic=": false, "reason=": false,
		"body=": false, "body.a=": false, "body.a!=1": true} {
		f, err := Parse([]string{c})
		if err != nil || f.Takes(Read(&kgo.Record{}), now) != want {
			t.Errorf("%s: takes %v, %v", c, !want, err)
		}
	}
	f, err := Parse([]string{"key="})
	if err != nil || !f.Takes(&Letter{Key: []byte{}}, now) {
		t.Errorf("key= is not the empty key: %v", err)
	}
	f, err = Parse([]string{"body.a=1"})
	if err != nil || f.Takes(&Letter{Value: []byte(`{"a":1} {"a":1}`)}, now) || f.Takes(&Letter{Value: []byte(`{"a":1`)}, now) {
		t.Errorf("what is no JSON has fields: %v", err)
	}
}

func TestConditionsThatMeanNothingAreRefused(t *testing.T) {
	for _, c := range []string{"", "key", "=x", "colour=red", "partition=z", "attempts=-1", "attempts~3", "older=soon", "older>1h", "newer~1h", "age~1h", "age>-1h", "header.=x", "body.=x", "older=99999999d"} {
		if _, err := Parse([]string{c}); err == nil {
			t.Errorf("%q is a condition", c)
		}
	}
}

func FuzzConditions(f *testing.F) {
	for _, c := range []string{"reason=x", "body.a.b>1", "older=1h", "header.x~y", "attempts>=3", "body.0=1"} {
		f.Add(c, []byte(`{"a":{"b":[1,"2",null]}}`))
	}
	f.Add("body.a=1", []byte(`[[[[`))
	f.Fuzz(func(t *testing.T, c string, value []byte) {
		filter, err := Parse([]string{c})
		if err != nil {
			return
		}
		l := Read(&kgo.Record{Value: value, Timestamp: now})
		if first := filter.Takes(l, now); first != filter.Takes(l, now) {
			t.Fatalf("%q judges the same letter twice, each time otherwise", c)
		}
	})
}
