package text

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/kafkatools/settings"
	"ottla/internal/group/schema"
	"ottla/internal/uuid"
)

// show writes a record so that null, empty and absent differ.
func show(r *kgo.Record) string {
	one := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return fmt.Sprintf("%q", b)
	}
	out := one(r.Key) + " " + one(r.Value)
	for _, h := range r.Headers {
		out += " " + h.Key + "=" + one(h.Value)
	}
	return out
}

func TestLinesBecomeRecordsAsInKafka(t *testing.T) {
	for _, c := range []struct {
		name, line, want string
		p                settings.Properties
	}{
		{"plain", "v", `null "v"`, nil},
		{"empty", "", `null ""`, nil},
		{"key", "k\tv\tw", `"k" "v\tw"`, settings.Properties{"parse.key": "true"}},
		{"own separator", "k::v", `"k" "v"`, settings.Properties{"parse.key": " TRUE ", "key.separator": "::"}},
		{"no separator", "v", "error: No key separator found on line number 1: 'v'", settings.Properties{"parse.key": "true"}},
		{"ignored error", "v", `null "v"`, settings.Properties{"parse.key": "true", "ignore.error": "true"}},
		{"headers", "a:1,b:2\tv", `null "v" a="1" b="2"`, settings.Properties{"parse.headers": "true"}},
		{"headers and key", "a:1\tk\tv", `"k" "v" a="1"`, settings.Properties{"parse.headers": "true", "parse.key": "true"}},
		{"null marker", "N\tN\tN", "null null", settings.Properties{"parse.headers": "true", "parse.key": "true", "null.marker": "N"}},
		{"null header value", "a:N\tv", `null "v" a=null`, settings.Properties{"parse.headers": "true", "null.marker": "N"}},
		{"null header key", "N:1\tv", "error: Header keys should not be equal to the null marker 'N' as they can't be null", settings.Properties{"parse.headers": "true", "null.marker": "N"}},
		{"header without separator", "a\tv", "error: No header key separator found in pair 'a' on line number 1", settings.Properties{"parse.headers": "true"}},
		{"header error ignored", "a\tv", `null "v" a=null`, settings.Properties{"parse.headers": "true", "ignore.error": "true"}},
		{"no headers delimiter", "a:1", "error: No headers delimiter found on line number 1: 'a:1'", settings.Properties{"parse.headers": "true"}},
	} {
		r, err := NewLineReader("t", c.p)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := ""
		if rec, err := r.Record(c.line); err != nil {
			got = "error: " + err.Error()
		} else {
			got = show(rec)
		}
		if got != c.want {
			t.Errorf("%s: %q gave %s, want %s", c.name, c.line, got, c.want)
		}
	}
}

func TestSeparatorsMustDiffer(t *testing.T) {
	for _, p := range []settings.Properties{
		{"headers.delimiter": ","}, {"headers.delimiter": ":"}, {"headers.separator": ":"},
		{"null.marker": "\t"}, {"null.marker": ","}, {"null.marker": ":"},
	} {
		if _, err := NewLineReader("t", p); err == nil || !strings.Contains(err.Error(), "may not be equal") {
			t.Errorf("%v: got %v", p, err)
		}
	}
}

func TestLinesEndAsJavaEndsThem(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a": "a|", "a\n": "a|", "a\r\nb": "a|b|", "a\rb\r": "a|b|", "\n\n": "||", "\r\n\r\n": "||", "a\n\rb": "a||b|",
	} {
		for name, reader := range map[string]io.Reader{"whole": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in))} {
			got := ""
			if err := EachLine(reader, func() {}, func(l string) error { got += l + "|"; return nil }); err != nil || got != want {
				t.Errorf("%s %q: got %q, %v, want %q", name, in, got, err, want)
			}
		}
	}
}

func TestReadingStopsAtTheFirstRefusal(t *testing.T) {
	refused := errors.New("no")
	seen := 0
	if err := EachLine(strings.NewReader("a\nb\n"), func() {}, func(string) error { seen++; return refused }); !errors.Is(err, refused) || seen != 1 {
		t.Errorf("got %v after %d lines", err, seen)
	}
	broken := errors.New("broken pipe")
	if err := EachLine(iotest.ErrReader(broken), func() {}, func(string) error { return nil }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func record() *kgo.Record {
	return &kgo.Record{Topic: "t", Partition: 3, Offset: 7, Timestamp: time.UnixMilli(1700000000123), Key: []byte("k"), Value: []byte("v"),
		Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "b"}}}
}

func TestRecordsArePrintedAsInKafka(t *testing.T) {
	all := settings.Properties{"print.timestamp": "true", "print.partition": "true", "print.offset": "true", "print.delivery": "true",
		"print.epoch": "true", "print.headers": "true", "print.key": "true"}
	long := settings.Properties{"key.deserializer": "org.apache.kafka.common.serialization.LongDeserializer", "print.key": "true", "print.value": "false"}
	for _, c := range []struct {
		name, class, want string
		p                 settings.Properties
		change            func(*kgo.Record)
	}{
		{"value", "DefaultMessageFormatter", "v\n", nil, nil},
		{"all", FormatterPackage + "DefaultMessageFormatter", "CreateTime:1700000000123\tPartition:3\tOffset:7\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\ta:1,b:null\tk\tv\n", all, nil},
		{"nulls", "DefaultMessageFormatter", "N/N;", settings.Properties{"print.key": "true", "key.separator": "/", "line.separator": ";", "null.literal": "N"},
			func(r *kgo.Record) { r.Key, r.Value = nil, nil }},
		{"empty is not null", "DefaultMessageFormatter", "\t\n", settings.Properties{"print.key": "true"}, func(r *kgo.Record) { r.Key, r.Value = []byte{}, []byte{} }},
		{"nothing", "DefaultMessageFormatter", "", settings.Properties{"print.value": "false"}, nil},
		{"no headers", "DefaultMessageFormatter", "NO_HEADERS\tv\n", settings.Properties{"print.headers": "true"}, func(r *kgo.Record) { r.Headers = nil }},
		{"long", "DefaultMessageFormatter", "-2\n", long, func(r *kgo.Record) { r.Key = []byte{255, 255, 255, 255, 255, 255, 255, 254} }},
		{"not long", "DefaultMessageFormatter", "error: key of t-3 at 7: Size of data received by LongDeserializer is not 8", long, nil},
		{"no-op", "NoOpMessageFormatter", "", nil, nil},
		{"logging", "LoggingMessageFormatter", "v\nCreateTime:1700000000123, key:k, value:v\n", nil, nil},
	} {
		f, err := NewFormatter(c.class, c.p)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		r := record()
		if c.change != nil {
			c.change(r)
		}
		var b bytes.Buffer
		if err := f(&b, r); err != nil {
			b.WriteString("error: " + err.Error())
		}
		if b.String() != c.want {
			t.Errorf("%s: got %q, want %q", c.name, b.String(), c.want)
		}
	}
}

func TestRecordsOfConsumerOffsetsAreJSON(t *testing.T) {
	id := uuid.UUID{1}
	long := schema.AppendOffsetValue(nil, schema.OffsetValue{Offset: 5, LeaderEpoch: 2, Metadata: "m", CommitMs: 7, ExpireMs: -1, TopicID: id})
	for _, c := range []struct {
		class      string
		key, value []byte
		want       string
	}{
		{"OffsetsMessageFormatter", schema.AppendOffsetKey(nil, "g", "t", 3), long,
			`{"key":{"type":1,"data":{"group":"g","topic":"t","partition":3}},"value":{"version":4,"data":{"offset":5,"leaderEpoch":2,"metadata":"m","commitTimestamp":7,"topicId":"AQAAAAAAAAAAAAAAAAAAAA"}}}`},
		{"OffsetsMessageFormatter", schema.AppendOffsetKey(nil, "g", "t", 3), nil, `{"key":{"type":1,"data":{"group":"g","topic":"t","partition":3}},"value":null}`},
		{"OffsetsMessageFormatter", schema.AppendGroupKey(nil, "g"), nil, ""},
		{"GroupMetadataMessageFormatter", schema.AppendOffsetKey(nil, "g", "t", 3), long, ""},
		{"GroupMetadataMessageFormatter", schema.AppendGroupKey(nil, "g"), nil, `{"key":{"type":2,"data":{"group":"g"}},"value":null}`},
		{"OffsetsMessageFormatter", schema.AppendOffsetKey(nil, "g", "t", 3), []byte{0, 9, 1}, "error: value of t-3 at 7: committed offset of version 9, 0 to 4 are known"},
		{"OffsetsMessageFormatter", []byte{0, 1}, nil, "error: key of t-3 at 7"},
		{"OffsetsMessageFormatter", []byte{0, 99}, nil, ""},
		{"OffsetsMessageFormatter", nil, nil, ""},
	} {
		f, err := NewFormatter(FormatterPackage+c.class, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := record()
		r.Key, r.Value = c.key, c.value
		var b bytes.Buffer
		if err := f(&b, r); err != nil {
			b.WriteString("error: " + err.Error())
		}
		if !strings.HasPrefix(b.String(), c.want) || c.want == "" && b.Len() > 0 {
			t.Errorf("%s %q: got %s, want %s", c.class, c.key, b.String(), c.want)
		}
	}
}

func TestDeserializersShowWhatJavaShows(t *testing.T) {
	for class, c := range map[string]struct {
		in   []byte
		want string
	}{
		"Integer": {[]byte{255, 255, 255, 255}, "-1"}, "Short": {[]byte{1, 0}, "256"}, "Boolean": {[]byte{1}, "true"},
		"Double": {[]byte{0x3f, 0xf0, 0, 0, 0, 0, 0, 0}, "1.0"}, "Float": {[]byte{0x40, 0x20, 0, 0}, "2.5"},
		"String": {[]byte("é\xff"), "é\uFFFD"}, "UUID": {[]byte("123e4567-e89b-12d3-a456-426614174000"), "123e4567-e89b-12d3-a456-426614174000"},
	} {
		d, err := decoderOf("org.apache.kafka.common.serialization." + class + "Deserializer")
		if err != nil {
			t.Errorf("%s: %v", class, err)
			continue
		}
		if got, err := d(c.in); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", class, got, err, c.want)
		}
	}
}

func TestJavaClassesOfOthersAreRefused(t *testing.T) {
	if _, err := NewFormatter("com.example.F", nil); err == nil || !strings.Contains(err.Error(), "com.example.F") {
		t.Errorf("formatter: %v", err)
	}
	if _, err := NewFormatter("DefaultMessageFormatter", settings.Properties{"value.deserializer": "com.example.D"}); err == nil || !strings.Contains(err.Error(), "com.example.D") {
		t.Errorf("deserializer: %v", err)
	}
}

func FuzzLineReader(f *testing.F) {
	for _, s := range []string{"", "a:1,b:2\tk\tv", "N\tN\tN", "\t\t", ":,:\t"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := NewLineReader("t", settings.Properties{"parse.key": "true", "parse.headers": "true", "ignore.error": "true", "null.marker": "N"})
		if err != nil {
			t.Fatal(err)
		}
		rec, err := r.Record(line)
		if err == nil && len(rec.Key)+len(rec.Value) > len(line) {
			t.Errorf("%q grew to key %q value %q", line, rec.Key, rec.Value)
		}
	})
}
