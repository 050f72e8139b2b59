package line

import (
	"bytes"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func TestWhatIsWrittenIsReadBackUnchanged(t *testing.T) {
	at := time.Date(2026, 11, 25, 16, 0, 0, 123e6, time.UTC)
	for _, r := range []*kgo.Record{
		{Topic: "t", Partition: 2, Offset: 7, Timestamp: at, Key: []byte("k"), Value: []byte(`{"a":1}`)},
		{Topic: "t", Timestamp: at, Key: nil, Value: nil},
		{Topic: "t", Timestamp: at, Key: []byte{}, Value: []byte{}},
		{Topic: "t", Timestamp: at, Key: []byte{0xff, 0}, Value: []byte{0xc0, 0x80}},
		{Topic: "t", Timestamp: at, Value: []byte("<&>\n\x00"), Headers: []kgo.RecordHeader{{Key: "a", Value: nil}, {Key: "a", Value: []byte{}}, {Key: "b", Value: []byte{0xff}}}},
	} {
		b, err := Append(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Count(b, []byte("\n")) != 1 || b[len(b)-1] != '\n' {
			t.Errorf("%q is not one line", b)
		}
		p, err := Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		var back kgo.Record
		p.Apply(&back)
		if !same(back.Key, r.Key) || !same(back.Value, r.Value) || !back.Timestamp.Equal(r.Timestamp) || len(back.Headers) != len(r.Headers) {
			t.Errorf("%s came back as %+v", b, back)
			continue
		}
		for i, h := range r.Headers {
			if back.Headers[i].Key != h.Key || !same(back.Headers[i].Value, h.Value) {
				t.Errorf("header %d of %s came back as %+v", i, b, back.Headers[i])
			}
		}
	}
}

func TestTheFormIsStable(t *testing.T) {
	b, err := Append(nil, &kgo.Record{Topic: "orders", Partition: 1, Offset: 5, Timestamp: time.UnixMilli(1).UTC(), Value: []byte("v")})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"topic":"orders","partition":1,"offset":5,"timestamp":"1970-01-01T00:00:00.001Z","key":null,"value":"v"}` + "\n"
	if string(b) != want {
		t.Errorf("got %s want %s", b, want)
	}
}

func TestBadLinesAreRefused(t *testing.T) {
	for _, bad := range []string{
		``, `x`, `[]`, `"v"`, `{"valu":"v"}`, `{"value":"a","value_base64":"YQ=="}`, `{"value_base64":"%%"}`,
		`{"value":"a"} {"value":"b"}`, `{"value":"a","timestamp":"yesterday"}`, `{"headers":[{"name":"h","value":"a","value_base64":"YQ=="}]}`,
	} {
		if p, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%s was read as %+v", bad, p)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"value":"a","key":null,"headers":[{"name":"h","value":null}],"timestamp":"2026-11-25T16:00:00.123Z"}`))
	f.Add([]byte(`{"value_base64":"/w=="}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			return
		}
		r := kgo.Record{Timestamp: time.UnixMilli(0)}
		p.Apply(&r)
		again, err := Append(nil, &r)
		if err != nil {
			return // a year outside RFC 3339's range
		}
		q, err := Parse(again)
		if err != nil {
			t.Fatalf("%s became %s, which is refused: %v", b, again, err)
		}
		var back kgo.Record
		q.Apply(&back)
		if !same(back.Key, r.Key) || !same(back.Value, r.Value) {
			t.Fatalf("%s changed to %s", b, again)
		}
	})
}
