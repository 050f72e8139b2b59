package delivery

import (
	"encoding/json"
	"reflect"
	"testing"

	"ottla/internal/event/plan"
)

func TestANoteIsReadAsItWasWritten(t *testing.T) {
	for _, n := range []note{
		{}, {ID: "msg_a", Event: "e-1", Rule: "rule/1/x/shop/all", Source: "bus/1/x/shop", Topic: "shop", Partition: 3, Offset: 1 << 60, Replay: "again", ContentType: "text/plain"},
		{ID: `with "quotes", \ and ` + "\n\t\x01é", Event: "\xff", Topic: "t", Keyed: true},
		{ID: "a", Topic: "t", Key: []byte("k\x00"), Keyed: true},
		{ID: "a", Topic: "t", Headers: []plan.Header{{Name: "A", Value: "b"}}, Method: "PUT", Path: []string{"x"}, Query: []plan.Header{{Name: "q", Value: "<&>"}}},
		{ID: "a", Topic: "t", LetterHeaders: []plan.Header{{Name: "A", Value: "b"}}, LetterAttributes: []plan.Attribute{{Name: "n", Type: "String", Value: []byte("v")}}},
	} {
		text, err := n.append([]byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		sameNote(t, text[1:])
		plain, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		var got, want note
		if err := readNote(text[1:], &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := json.Unmarshal(plain, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v (%v)", got, want, err)
		}
	}
}

// sameNote checks that a text is read as encoding/json reads it.
func sameNote(t *testing.T, text []byte) {
	t.Helper()
	var got, want note
	err, werr := readNote(text, &got), json.Unmarshal(text, &want)
	if (err == nil) != (werr == nil) || err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%q is read as %+v, %v; want %+v, %v", text, got, err, want, werr)
	}
}

func FuzzReadNote(f *testing.F) {
	for _, text := range []string{
		`{"id":"a","event":"b","topic":"t","partition":1,"offset":2,"keyed":true}`, `{"id":null}`, `{"ID":"a"}`, `{"id":"a",}`, `{"id":"a"} `, `{"partition":1e3}`,
		`{"offset":-0}`, `{"offset":007}`, `{}`, `null`, ` {"id" : "\u00e9"}`, `{"id":"a","id":"b"}`, `{"key":"aw==","keyed":false}`, `{"topic":"` + "\xff" + `"}`, `{"i\u0064":"a"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(sameNote)
}

func FuzzAnAttemptIsReadAsItWasWritten(f *testing.F) {
	f.Add(int64(1), int64(2), "target", "rule", "msg_a", "e", 1, "http://x/?a=<b>", "Name", "value", "body", true, 200, "", "", "answer")
	f.Add(int64(-1), int64(0), "", "", "", "", 0, "", "", "", "\x00\n\"\\", false, 0, "CODE", "why\xff", "")
	f.Fuzz(func(t *testing.T, at, took int64, target, rule, delivery, event string, number int, url, name, value, body string, ok bool, status int, code, why, answer string) {
		a := Attempt{AtMs: at, TookMs: took, Target: target, Rule: rule, Delivery: delivery, Event: event, Number: number, URL: url,
			Header: map[string]string{name: value, "Other": "x"}, Body: body, OK: ok, Status: status, Code: code, Why: why, Answer: answer}
		plain, err := json.Marshal(&a)
		if err != nil {
			t.Fatal(err)
		}
		var got, want Attempt
		if err := json.Unmarshal(a.append(nil), &got); err != nil {
			t.Fatalf("%s: %v", a.append(nil), err)
		}
		if err := json.Unmarshal(plain, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v (%v)", got, want, err)
		}
	})
}
