package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"unicode/utf8"

	"ottla/internal/event/bus"
	"ottla/internal/gateway/aws/protocol"
)

// What PutEvents reads and writes without reflection is what its tags say.
func TestPutEventsReadsItselfAsItsTagsSay(t *testing.T) {
	for _, text := range []string{
		`{"Entries":[{"Source":"s","DetailType":"t","Detail":"{\"a\":1}","EventBusName":"b","Resources":["r",""],"TraceHeader":"x","Time":1795694400}]}`,
		`{"Entries":[]}`, `{"Entries":[{},{"Detail":"\u00e4"}]}`, ` { "Entries" : [ { "Source" : "s" } ] } `,
	} {
		var scanned, read putIn
		if !protocol.Scan([]byte(text), &scanned) {
			t.Errorf("%s was given up", text)
		}
		if err := json.Unmarshal([]byte(text), &read); err != nil || !reflect.DeepEqual(scanned, read) {
			t.Errorf("%s: got %+v, want %+v, %v", text, scanned, read, err)
		}
	}
	for _, text := range []string{`{"Entries":[{"Time":1795694400.5}]}`, `{"Entries":[{"Time":100000000001}]}`, `{"Entries":[{"Time":-1795694400000}]}`, `{"Entries":null}`, `{"Entries":[{"Else":1}]}`, `{"EndpointId":"a.b"}`, `{"Entries":[],"Entries":[]}`} {
		if protocol.Scan([]byte(text), &putIn{}) {
			t.Errorf("%s was not given up", text)
		}
	}
}

func FuzzPutEventsReadsItselfAsItsTagsSay(f *testing.F) {
	f.Add([]byte(`{"Entries":[{"Source":"s","DetailType":"t","Detail":"{}","Resources":["r"],"Time":1}]}`))
	f.Add([]byte("{\"Entries\":[{\"Resources\":[\"\xe5\"]}]}"))
	f.Add([]byte(`{"Entries":[{"Time":100000000001}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var scanned, read putIn
		if !utf8.Valid(text) || !protocol.Scan(text, &scanned) { // the door refuses what is not UTF-8 before
			return
		}
		if err := json.Unmarshal(text, &read); err != nil || !reflect.DeepEqual(scanned, read) {
			t.Errorf("%q: got %+v, want %+v, %v", text, scanned, read, err)
		}
	})
}

func TestPutEventsAnswersAsItsTagsSay(t *testing.T) {
	for _, out := range []*putOut{
		{Entries: []putEntry{}},
		{1, []putEntry{{ID: "a"}, {Code: "MalformedDetail", Message: `it is "{" <&>`}}},
	} {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(out); err != nil {
			t.Fatal(err)
		}
		if got := out.AppendJSON(nil); string(got) != string(bytes.TrimSpace(want.Bytes())) {
			t.Errorf("got %s, want %s", got, want.Bytes())
		}
	}
}

// What a topic never takes is not answered as if it might take it another time.
func TestWhatIsTooLargeIsTheCallersFault(t *testing.T) {
	bad := protocol.AsError(refuse("Event bus shop", fmt.Errorf("%w: the topic shop takes less", bus.ErrTooLarge)))
	if bad.Shape != validationError || bad.HTTPStatus() != 400 {
		t.Errorf("got %s, %d: %s", bad.Shape, bad.HTTPStatus(), bad.Message)
	}
}

// Only what is put counts for the size, as AWS counts it.
func TestEntriesAreBoundedInAll(t *testing.T) {
	big := string(bytes.Repeat([]byte("x"), mostBytes-2))
	moment := protocol.Moment(0)
	for _, c := range []struct {
		entries []entry
		good    bool
	}{
		{[]entry{{Source: "s", Detail: big}}, true},
		{[]entry{{Source: "st", Detail: big}}, false},
		{[]entry{{Source: "s", Detail: big[:len(big)-timeBytes], Time: &moment}}, true},
		{[]entry{{Source: "s", Detail: big, Resources: []string{"r"}}}, false},
		{[]entry{{Detail: big[:len(big)/2]}, {Detail: big[:len(big)/2], DetailType: "three"}}, false},
	} {
		err := (&putIn{Entries: c.entries}).check()
		if (err == nil) != c.good {
			t.Errorf("%d entries of %d bytes: %v", len(c.entries), c.entries[0].size(), err)
		}
	}
}
