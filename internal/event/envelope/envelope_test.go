package envelope_test

import (
	"encoding/json"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	"ottla/internal/event/envelope"
	"ottla/internal/event/pattern"
)

func headers(pairs ...string) (all []envelope.Header) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, envelope.Header{Name: pairs[i], Value: []byte(pairs[i+1])})
	}
	return all
}

// order is what the EventBridge door stores of an entry.
func order() *envelope.Event {
	e := &envelope.Event{
		ID: "6a7e8feb-b491-4cf7-a9f1-bf3703467718", Source: "com.shop", Type: "OrderPlaced", Time: "2026-11-26T16:00:00Z", TimeMs: 1795708800000,
		DataContentType: envelope.JSON, Data: []byte(`{"id":17,"total":120.5}`),
	}
	e.SetPlace("123456789012", "us-east-1")
	e.SetResources([]string{"arn:aws:ec2:us-east-1:123456789012:instance/i-1"})
	return e
}

func TestAnEventOfEventBridgeShowsAsThere(t *testing.T) {
	e := order()
	want := `{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"OrderPlaced","source":"com.shop","account":"123456789012",` +
		`"time":"2026-11-26T16:00:00Z","region":"us-east-1","resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-1"],"detail":{"id":17,"total":120.5}}`
	if got := string(e.AppendEnvelope(nil)); got != want {
		t.Errorf("the envelope is\n%s\nwant\n%s", got, want)
	}
	back, err := envelope.FromEnvelope([]byte(want))
	if err != nil || !reflect.DeepEqual(back, e) {
		t.Errorf("it reads as %+v (%v), want %+v", back, err, e)
	}
	e.ReplayName = "again"
	if got := string(e.AppendEnvelope(nil)); !strings.Contains(got, `"replay-name":"again"`) {
		t.Errorf("the envelope of a replay is %s", got)
	}
}

func TestADocumentFitsPatternsOfEitherShape(t *testing.T) {
	e := order()
	e.Set("traceparent", "00-1-2-01")
	e.Set("region", "north") // a name that the envelope has
	doc := e.AppendDocument(nil)
	for _, fits := range []string{
		`{"source":["com.shop"],"detail-type":["OrderPlaced"],"detail":{"total":[{"numeric":[">",100]}]}}`,
		`{"subject":[{"prefix":"arn:aws:ec2"}],"specversion":["1.0"],"traceparent":[{"exists":true}]}`,
		`{"ce-region":["north"],"region":["us-east-1"],"datacontenttype":["application/json"]}`,
	} {
		p, err := pattern.Parse([]byte(fits))
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := p.Matches(doc); err != nil || !ok {
			t.Errorf("%s does not fit %s (%v)", doc, fits, err)
		}
	}
}

func TestAForeignRecordReadsAsAnEventAndStaysAsItIs(t *testing.T) {
	for _, c := range []struct {
		value    []byte
		headers  []envelope.Header
		content  string
		document string
	}{
		{[]byte(`{"id":1}`), headers("trace", "x"), envelope.JSON, `"detail":{"id":1}`},
		{[]byte(`hello "you"`), nil, "text/plain", `"detail":"hello \"you\""`},
		{[]byte{0xff, 0}, nil, "application/octet-stream", `"data_base64":"/wA="`},
		{[]byte(`{"id":`), headers("content-type", "application/json"), "text/plain", `"detail":"{\"id\":"`},
		{nil, nil, "", `"resources":[],"specversion"`},
		{[]byte(strings.Repeat("[", 600) + strings.Repeat("]", 600)), nil, "text/plain", `"detail":"[[[`},
		// What claims to be an event and is none.
		{[]byte(`1`), headers("ce_specversion", "0.3", "ce_id", "1", "ce_source", "s", "ce_type", "t"), envelope.JSON, `"detail":1`},
		{[]byte(`1`), headers("ce_specversion", "1.0", "ce_id", "1", "ce_source", "s"), envelope.JSON, `"detail":1`},
		{[]byte(`1`), headers("ce_specversion", "1.0", "ce_id", "\xff", "ce_source", "s", "ce_type", "t"), envelope.JSON, `"detail":1`},
		{[]byte(`{"specversion":"1.0"}`), headers("content-type", "application/cloudevents+json"), envelope.JSON, `"detail":{"specversion":"1.0"}`},
	} {
		e := envelope.Read("orders", 2, 7, 1795708800123, []byte("k"), c.value, c.headers)
		if !e.Foreign || e.ID != "orders-2-7" || e.Source != "kafka:orders" || e.Type != "ottla.record" || e.Time != "2026-11-26T16:00:00.123Z" || e.Extension("partitionkey") != "k" {
			t.Errorf("%q reads as %+v", c.value, e)
		}
		if e.DataContentType != c.content {
			t.Errorf("%q has content type %q, want %q", c.value, e.DataContentType, c.content)
		}
		doc := string(e.AppendDocument(nil))
		if !json.Valid([]byte(doc)) || !strings.Contains(doc, c.document) {
			t.Errorf("the document of %.40q is %s, want it with %s", c.value, doc, c.document)
		}
		if _, err := new(pattern.Pattern).Matches([]byte(doc)); err != nil {
			t.Errorf("patterns refuse %s: %v", doc, err)
		}
		key, value, kept := e.Record()
		if string(key) != "k" || !reflect.DeepEqual(value, c.value) || !reflect.DeepEqual(kept, c.headers) {
			t.Errorf("the record %q %v became %q %v", c.value, c.headers, value, kept)
		}
	}
}

func TestARecordInStructuredModeIsAnEvent(t *testing.T) {
	e := envelope.Read("bus", 0, 0, 5, nil,
		[]byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","n":3,"ok":true,"none":null,"data":{"a": 1}}`),
		headers("content-type", "application/cloudevents+json; charset=utf-8", "other", "x"))
	want := &envelope.Event{ID: "1", Source: "/s", Type: "t", TimeMs: 5, StoredMs: 5, Data: []byte(`{"a": 1}`), Headers: headers("other", "x"),
		Extensions: []envelope.Extension{{Name: "n", Value: "3"}, {Name: "ok", Value: "true"}}}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("it reads as %+v, want %+v", e, want)
	}
}

func TestHeadersThatAreNoAttributesAreKept(t *testing.T) {
	all := headers("first", "1", "ce_specversion", "1.0", "ce_id", "1", "ce_source", "s", "ce_type", "t",
		"ce_Upper", "x", "ce_id", "2", "content-type", "text/plain", "content-type", "b", "ce_data", "y", "ce_ext", "\xff", "ce_ok", "1", "ce_ok", "2")
	e := envelope.Read("t", 0, 0, 0, nil, []byte("x"), all)
	want := headers("first", "1", "ce_Upper", "x", "ce_id", "2", "content-type", "b", "ce_data", "y", "ce_ext", "\xff", "ce_ok", "2")
	if e.Foreign || e.ID != "1" || e.Extension("ok") != "1" || !reflect.DeepEqual(e.Headers, want) {
		t.Errorf("it reads as %+v, want the headers %v", e, want)
	}
}

// drawn makes an event out of numbers.
func drawn(r *rand.Rand) *envelope.Event {
	word := func() string {
		const letters = "ab\"\\/ é😀\n:1"
		out := []rune{}
		for range 1 + r.Intn(6) {
			all := []rune(letters)
			out = append(out, all[r.Intn(len(all))])
		}
		return string(out)
	}
	maybe := func() string {
		if r.Intn(2) == 0 {
			return ""
		}
		return word()
	}
	e := &envelope.Event{ID: word(), Source: word(), Type: word(), Subject: maybe(), DataSchema: maybe()}
	e.Time = []string{"2026-11-26T16:00:00Z", "2026-11-26T16:00:00.25+02:00"}[r.Intn(2)]
	e.TimeMs, _ = envelope.ParseTime(e.Time)
	e.DataContentType = []string{"", envelope.JSON, "text/plain", "application/vnd.x+json; charset=utf-8", "image/png", word()}[r.Intn(6)]
	e.Data = [][]byte{nil, {}, []byte(`{"a":[1,{"b":null}]}`), []byte(`"text"`), []byte(`null`), []byte("plain \"text\""), {0xff, 0xfe}}[r.Intn(7)]
	for _, called := range []string{"ext", "region", "detail", "version", "partitionkey", "ebresources", "ebaccount"} {
		if r.Intn(3) == 0 {
			e.Set(called, word())
		}
	}
	if r.Intn(2) == 0 {
		e.Subject = maybe()
		e.Set(envelope.Resources, `["`+[]string{"a", "b"}[r.Intn(2)]+`"]`)
	}
	return e
}

func TestEveryViewIsLossless(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 1500 {
		e := drawn(r)
		views := []struct {
			called string
			text   []byte
			read   func([]byte) (*envelope.Event, error)
		}{
			{"the document", e.AppendDocument(nil), envelope.FromEnvelope},
			{"the envelope", e.AppendEnvelope(nil), envelope.FromEnvelope},
			{"the CloudEvent", e.AppendCloudEvent(nil), envelope.FromCloudEvent},
		}
		for _, v := range views {
			back, err := v.read(v.text)
			if err != nil {
				t.Fatalf("%s %s cannot be read: %v", v.called, v.text, err)
			}
			if !reflect.DeepEqual(back, e) {
				t.Fatalf("%s\n%s reads as\n%+v, want\n%+v", v.called, v.text, back, e)
			}
			if !json.Valid(v.text) {
				t.Fatalf("%s %s is no JSON", v.called, v.text)
			}
		}
		key, value, headers := e.Record()
		if back := envelope.Read("t", 0, 0, 0, key, value, headers); !reflect.DeepEqual(back, e) {
			t.Fatalf("the record %q %v reads as\n%+v, want\n%+v", value, headers, back, e)
		}
	}
}

func TestWhatCannotBeReadSaysWhy(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                "it is no JSON",
		`[]`:                               "an event is an object",
		`{"source":"s","detail-type":"t"}`: "the event has no id",
		`{"id":"1","source":"s"}`:          "the event has no detail-type",
		`{"id":1}`:                         "id is 1; want a text",
		`{"id":"1","source":"s","detail-type":"t","time":"noon"}`:               "want RFC 3339",
		`{"id":"1","source":"s","detail-type":"t","Odd":"x"}`:                   `"Odd" is neither`,
		`{"id":"1","source":"s","detail-type":"t","odd":{}}`:                    "is no text, number or boolean",
		`{"id":"1","source":"s","detail-type":"t","resources":[1]}`:             "want a list of texts",
		`{"id":"1","source":"s","detail-type":"t","detail":1,"data_base64":""}`: "leave one of them out",
		`{"id":"1","source":"s","detail-type":"t","data_base64":"%"}`:           "data_base64",
		`{"id":"1","source":"s","detail-type":"t","type":"u"}`:                  `"type" is neither`,
	} {
		if _, err := envelope.FromEnvelope([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := envelope.FromBatch([]byte(`[{"specversion":"1.0","id":"1","source":"s","type":"t"},{}]`), 10); err == nil || !strings.Contains(err.Error(), "event 2: ") {
		t.Errorf("a batch with a bad event: %v", err)
	}
	if _, err := envelope.FromBatch([]byte(`[{"specversion":"1.0","id":"1","source":"s","type":"t"},{}]`), 1); err == nil || !strings.Contains(err.Error(), "at most 1 events") {
		t.Errorf("a batch that is too long: %v", err)
	}
}

func TestDoorsRefuseWhatCloudEventsForbid(t *testing.T) {
	if err := order().Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*envelope.Event){
		"has no source":              func(e *envelope.Event) { e.Source = "" },
		"no URI reference":           func(e *envelope.Event) { e.Source = "a b" },
		"want RFC 3339":              func(e *envelope.Event) { e.Time = "26.11.2026" },
		"want a media type":          func(e *envelope.Event) { e.DataContentType = "json/;" },
		"subject has control":        func(e *envelope.Event) { e.Subject = "a\x00" },
		"no name of an extension":    func(e *envelope.Event) { e.Extensions = []envelope.Extension{{Name: "traceId", Value: "1"}} },
		`"id" is no name`:            func(e *envelope.Event) { e.Extensions = []envelope.Extension{{Name: "id", Value: "1"}} },
		"type has 65537 bytes":       func(e *envelope.Event) { e.Type = strings.Repeat("x", 65537) },
		"has control characters, or": func(e *envelope.Event) { e.Set("x", "\xff") },
	} {
		e := order()
		change(e)
		if err := e.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("k"), []byte(`{"a":1}`), "content-type", "application/json", "ce_id", "1")
	f.Add([]byte(nil), []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t"}`), "content-type", "application/cloudevents+json", "", "")
	f.Fuzz(func(t *testing.T, key, value []byte, h1, v1, h2, v2 string) {
		all := headers("ce_specversion", "1.0", "ce_id", "1", "ce_source", "s", "ce_type", "t", h1, v1, h2, v2)
		for _, hs := range [][]envelope.Header{all, all[4:]} {
			e := envelope.Read("t", 0, 0, 0, key, value, hs)
			k, v, kept := e.Record()
			if again := envelope.Read("t", 0, 0, 0, k, v, kept); !reflect.DeepEqual(again, e) {
				t.Fatalf("%+v became %+v", e, again)
			}
			for _, doc := range [][]byte{e.AppendDocument(nil), e.AppendEnvelope(nil), e.AppendCloudEvent(nil)} {
				if _, err := new(pattern.Pattern).Matches(doc); err != nil || !json.Valid(doc) {
					t.Fatalf("%+v has the view %s: %v", e, doc, err)
				}
			}
		}
	})
}

func FuzzFrom(f *testing.F) {
	f.Add(order().AppendEnvelope(nil))
	f.Add(order().AppendDocument(nil))
	f.Add(order().AppendCloudEvent(nil))
	f.Add([]byte(`[{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"/w=="}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if e, err := envelope.FromEnvelope(text); err == nil {
			if back, err := envelope.FromEnvelope(e.AppendEnvelope(nil)); err != nil || e.Time != "" && !reflect.DeepEqual(back, e) {
				t.Fatalf("%s: %+v became %+v (%v)", text, e, back, err)
			}
		}
		if e, err := envelope.FromCloudEvent(text); err == nil {
			if back, err := envelope.FromCloudEvent(e.AppendCloudEvent(nil)); err != nil || !reflect.DeepEqual(back, e) {
				t.Fatalf("%s: %+v became %+v (%v)", text, e, back, err)
			}
		}
		_, _ = envelope.FromBatch(text, 10) // it returns
	})
}

func TestTheEnvelopeOfADocumentIsTheSame(t *testing.T) {
	plain := &envelope.Event{ID: "1", Source: "s", Type: "t", Data: []byte(`[1]`), DataContentType: envelope.JSON}
	text := &envelope.Event{ID: "1", Source: "s", Type: "t", Data: []byte("no \"JSON\""), DataContentType: "text/plain", Subject: "of", DataSchema: "https://schemas.invalid/1"}
	more := order()
	more.Set("traceparent", strings.Repeat("00-4bf92f3577b34da6", 40)) // longer than what is kept without an allocation
	more.Set("detail", "taken")
	more.ReplayName = "again"
	named := order()
	named.Subject = ""
	for _, e := range []*envelope.Event{
		order(), plain, text, more, named, {ID: "empty", Source: "s", Type: "t"}, envelope.Read("t", 1, 2, 3, []byte("k"), []byte("\xff\x00"), nil),
	} {
		want := string(e.AppendEnvelope(nil))
		if got := string(e.EnvelopeOf(e.AppendDocument(nil))); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if got := string(e.EnvelopeOf([]byte(`{"another":"document"}`))); got != want {
			t.Errorf("of another document: got\n%s\nwant\n%s", got, want)
		}
	}
}
