package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestEventsAreReadAsTheyAreWritten(t *testing.T) {
	s := NewSet().With(1, mustParse(t, `{"a":["x\"\\\/\b\f\n\r\té😀"]}`))
	var m Matcher
	for _, event := range []string{
		`{"a":"x\"\\\/\b\f\n\r\té😀"}`,
		`{"a":"\u0078\u0022\u005c\u002F\u0008\u000c\u000a\u000D\u0009\u00e9\ud83d\ude00"}`,
		" \t\r\n{ \"a\" : [ 1 , \"x\\\"\\\\/\\b\\f\\n\\r\\t\u00e9\U0001f600\" ] } \n",
		`{"b":{"c":[{},[],[[[]]],{"d":null}],"a":"no"},"\u0061":"x\"\\\/\b\f\n\r\té😀"}`,
		`{"` + strings.Repeat("long", 50) + `":"` + strings.Repeat("\\u00e9", 50) + `","a":"x\"\\\/\b\f\n\r\té😀"}`,
	} {
		if ids, err := s.Match([]byte(event), &m, nil); err != nil || len(ids) != 1 {
			t.Errorf("%s: %v, %v", event, ids, err)
		}
	}
}

func TestEventsThatAreNoneAreRefused(t *testing.T) {
	s := NewSet().With(1, mustParse(t, `{"a":{"b":["x"]}}`))
	var m Matcher
	for _, c := range []struct{ event, want string }{
		{``, "event, byte 0: an event is a JSON object"},
		{`[]`, "event, byte 0: an event is a JSON object"},
		{`{`, "event, byte 1: a name in quotation marks is wanted here"},
		{`{"a"}`, "event, byte 4: a colon is wanted here"},
		{`{"a":}`, "event, byte 5: no value of JSON begins like this"},
		{`{"a":1,}`, "event, byte 7: a name in quotation marks is wanted here"},
		{`{"z":[1,]}`, "event, byte 8: no value of JSON begins like this"},
		{`{"a":[1 2]}`, "event, byte 8: a comma or a closing bracket is wanted here"},
		{`{"z":[1 2]}`, "event, byte 8: a comma or a closing bracket is wanted here"},
		{`{"a":"x`, "event, byte 7: a string has no end"},
		{`{"z":"\q"}`, "event, byte 6: this escape is none of JSON"},
		{"{\"z\":\"a\nb\"}", "event, byte 7: a control character in a string must be escaped"},
		{`{"z":tru}`, "event, byte 5: no value of JSON begins like this"},
		{`{"z":-}`, "event, byte 5: no value of JSON begins like this"},
		{`{"z":1}x`, "event, byte 7: nothing may follow the event's last bracket"},
		{`{"z":`, "event, byte 5: ends too early"},
		{`{"a":{"b":`, "event, byte 10: ends too early"},
		{`{"z":` + strings.Repeat("[", 600), "event, byte 517: is nested deeper than 512"},
		{strings.Repeat(`{"a":`, 600), "event, byte 2561: is nested deeper than 512"},
	} {
		ids, err := s.Match([]byte(c.event), &m, nil)
		var e *EventError
		if len(ids) > 0 || !errors.As(err, &e) || err.Error() != c.want {
			t.Errorf("%.40s: got %v, %v, want %s", c.event, ids, err, c.want)
		}
	}
	if ids, err := s.Match([]byte(`{"a":{"b":"x"}}`), &m, nil); err != nil || len(ids) != 1 {
		t.Errorf("after those: %v, %v", ids, err)
	}
}

func TestAnEventOfOneLongListIsReadInOneGo(t *testing.T) {
	// Fields in many elements, of which only the last passes: no combinations are
	// tried, or this would take years.
	s := NewSet().
		With(1, mustParse(t, `{"l":{"a":[1],"b":[1],"c":[1],"d":[1]},"m":{"a":[1],"b":[1]},"k":{"a":[9]}}`)).
		With(2, mustParse(t, `{"l":{"a":[1],"b":[1],"c":[1],"d":[1]},"m":{"a":[1],"b":[1]}}`)).
		With(3, mustParse(t, `{"l":{"a":[1],"b":[1],"c":[1],"d":[{"exists":false}]}}`))
	list := func(n int, last string) string {
		return "[" + strings.Repeat(`{"a":1,"b":1,"d":1},{"a":1,"c":1,"d":1},{"b":1,"c":1,"d":1},`, n) + last + "]"
	}
	event := fmt.Sprintf(`{"l":%s,"m":%s,"k":{"a":[1]}}`, list(3000, `{"a":1,"b":1,"c":1,"d":1}`), list(3000, `{"a":1,"b":1}`))
	var m Matcher
	if ids, err := s.Match([]byte(event), &m, nil); err != nil || len(ids) != 1 || ids[0] != 2 {
		t.Errorf("got %v, %v, want rule 2", ids, err)
	}
}

func FuzzEvent(f *testing.F) {
	for _, text := range []string{
		`{"a":{"b":"x"},"c":[1,-0.5e+7,true,false,null,"\u00e9\ud83d\ude00",{"a":[[]]}]}`,
		` {"a":[{"b":[{"c":1}]},"a"],"a":{"b":"\\"}}`, `{"":""}`, `{"a":"` + "\xff" + `"}`, `{"a.b":"x"}`,
	} {
		f.Add([]byte(text))
	}
	sets := []*Set{NewSet(), NewSet().With(1, mustParse(f, `{"a":{"b":["x"]},"c":[{"exists":true}],"a.b.c":[{"numeric":[">",0]}]}`))}
	f.Fuzz(func(t *testing.T, event []byte) {
		trimmed := bytes.TrimLeft(event, " \t\r\n")
		right := json.Valid(event) && trimmed[0] == '{'
		var m Matcher
		for i, s := range sets {
			_, err := s.Match(event, &m, nil)
			if deep := err != nil && strings.Contains(err.Error(), "deeper"); (err == nil) != right && !deep {
				t.Fatalf("set %d: %q: %v, valid %v", i, event, err, right)
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add(`{"a":["x",{"prefix":"y"}],"b":{"c":[{"exists":false}]}}`, `{"a":["x"],"b":[{"c":1},{"d":2}]}`)
	f.Add(`{"$or":[{"a":[1.0]},{"b":[{"anything-but":["x"]}]}]}`, `{"a":1e0,"b":"y"}`)
	f.Add(`{"a":{"x":[{"cidr":"10.0.0.0/8"}],"y":[{"wildcard":"*b"}]}}`, `{"a":[{"x":"10.0.0.1"},{"y":"ab"}]}`)
	f.Fuzz(func(t *testing.T, text, event string) {
		p, err := Parse([]byte(text))
		if err != nil || len(text) > 400 || len(event) > 400 || strings.Contains(text, `""`) || strings.Contains(event, `""`) {
			return // the twin is slow, and joins empty names in its own way
		}
		got, err := p.Matches([]byte(event))
		if err != nil || oddText(text) || oddText(event) || repeats(event) {
			return
		}
		if want := twinMatches(text, event); got != want {
			t.Fatalf("%s on %s: got %v, the twin says %v", text, event, got, want)
		}
	})
}

// oddText tells of what the twin's reader of JSON makes something else.
func oddText(s string) bool {
	return !json.Valid([]byte(s)) || strings.ContainsRune(s, '\ufffd') || strings.ToValidUTF8(s, "") != s || strings.Contains(s, `\u`) ||
		strings.Contains(strings.ToLower(s), "e") && strings.ContainsAny(s, "0123456789") || !isASCII(s)
}

// repeats tells whether a name may come twice, of which the twin sees the last.
func repeats(event string) bool {
	d := json.NewDecoder(strings.NewReader(event))
	seen := map[string]bool{}
	for {
		tok, err := d.Token()
		if err != nil {
			return false
		}
		if s, ok := tok.(string); ok {
			if seen[s] || strings.Contains(s, ".") {
				return true
			}
			seen[s] = true
		}
	}
}
