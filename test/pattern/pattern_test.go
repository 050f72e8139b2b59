package main

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ottla/internal/event/pattern"
)

func TestWhatIsDrawnIsTakenUnlessItIsWrong(t *testing.T) {
	for _, w := range wrong {
		if _, err := pattern.Parse([]byte(`{"a":[` + w + `]}`)); err == nil {
			t.Errorf("%s is taken", w)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[string]bool{}
	for range 3000 {
		d := draw(rng, 2)
		for _, e := range d.events {
			if !json.Valid([]byte(e)) {
				t.Fatalf("no JSON: %s", e)
			}
		}
		if _, err := pattern.Parse([]byte(d.pattern)); (err != nil) && !slices.Contains(d.kinds, "wrong") && !strings.Contains(plain(d.pattern), "**") {
			t.Fatalf("%s: %v", d.pattern, err)
		}
		for _, k := range d.kinds {
			seen[k] = true
		}
	}
	if len(seen) != 34 {
		t.Errorf("%d kinds of tests were drawn: %v", len(seen), seen)
	}
}

func TestAPatternIsTakenApartIntoSingleTests(t *testing.T) {
	var v any
	if err := json.Unmarshal([]byte(`{"a":[1,2],"$or":[{"b":["x"]},{"c":["y","z"]}]}`), &v); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range singles(v, false) {
		out, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(out))
	}
	want := []string{
		`{"$or":[{"b":["x"]},{"c":["y"]}],"a":[1]}`, `{"$or":[{"b":["x"]},{"c":["y"]}],"a":[2]}`,
		`{"$or":[{"b":["x"]},{"c":["z"]}],"a":[1]}`, `{"$or":[{"b":["x"]},{"c":["z"]}],"a":[2]}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestACauseIsTakenOutOfAPair(t *testing.T) {
	event := `{"a.b":[1,-2.5e3, "x1"],"c":"\u0031\u0030.0.0.1","d":"2001:db8::1","n":5e-324}`
	for i, want := range []string{
		`{"a.b":[null,null, "x1"],"c":"\u0031\u0030.0.0.1","d":"2001:db8::1","n":null}`,
		`{"a.b":[1,-2.5e3, "x1"],"c":"none","d":"2001:db8::1","n":5e-324}`,
		`{"a.b":[1,-2.5e3, "x1"],"c":"10.0.0.1","d":"none","n":5e-324}`,
		`{"a_b":[1,-2.5e3, "x1"],"c":"\u0031\u0030.0.0.1","d":"2001:db8::1","n":5e-324}`,
		`{"a.b":[1,-2.5e3, "x1"],"c":"\u0031\u0030.0.0.1","d":"2001:db8::1","n":1}`,
	} {
		if _, got := differences[i].without(`{}`, event); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", differences[i].reason, got, want)
		}
	}
}

func TestBothLoadsMakeRulesAndEvents(t *testing.T) {
	for _, l := range loads {
		l.rules = min(l.rules, 2000)
		rules, events := l.lines()
		e := pattern.NewSet().Edit()
		for i, text := range rules {
			p, err := pattern.Parse([]byte(text))
			if err != nil {
				t.Fatalf("%s: %s: %v", l.name, text, err)
			}
			e.Put(pattern.ID(i), p)
		}
		var m pattern.Matcher
		bytes := 0
		for _, event := range events[:200] {
			bytes += len(event)
			if _, err := e.Set().Match([]byte(event), &m, nil); err != nil {
				t.Fatalf("%s: %s: %v", l.name, event, err)
			}
		}
		if mean := bytes / 200; len(rules) != l.rules+more || len(events) != loadEvents || mean < 600 || mean > 740 {
			t.Errorf("%s: %d rules, %d events of %d bytes", l.name, len(rules), len(events), mean)
		}
	}
}
