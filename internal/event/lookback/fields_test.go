package lookback

import (
	"fmt"
	"strings"
	"testing"

	"ottla/internal/event/envelope"
	"ottla/internal/event/pattern"
)

func TestFieldsThatAPatternAsksFor(t *testing.T) {
	for text, want := range map[string]string{
		`{"source":["a"],"detail":{"b":{"c":[1]},"a":["x",{"prefix":"y"}]}}`:         "detail.a detail.b.c source",
		`{"type":["T"],"data":{"total":[{"numeric":[">",1]}]}}`:                      "detail.total detail-type",
		`{"detail":{"gone":[{"exists":false}],"here":[{"exists":true}],"or":[1]}}`:   "detail.here detail.or",
		`{"$or":[{"source":["a"]},{"detail":{"b":[1]}}],"detail":{"$or":[1,2]}}`:     "source detail.b detail.$or",
		`{"detail":{"$or":[{"a":[1]},{"type":["x"]}],"x":[{"anything-but":["y"]}]}}`: "detail.a detail.type detail.x",
		`[1]`: "", `{`: "",
	} {
		var got []string
		for _, f := range fields(text) {
			got = append(got, f.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s\nasks for %q, want %q", text, got, want)
		}
	}
}

func TestAFieldsPatternFitsEventsThatHaveIt(t *testing.T) {
	for doc, want := range map[string]bool{
		`{"detail":{"a":{"b":1}}}`: true, `{"detail":{"a":[{"b":null},{}]}}`: true, `{"detail":{"a":{"c":1}}}`: false, `{}`: false,
	} {
		p, err := pattern.Parse([]byte(field{"detail", "a", "b"}.pattern()))
		if err != nil {
			t.Fatal(err)
		}
		if fits, err := p.Matches([]byte(doc)); err != nil || fits != want {
			t.Errorf("%s: %v, %v", doc, fits, err)
		}
	}
}

// FuzzFields: whatever a pattern is, its fields have patterns.
func FuzzFields(f *testing.F) {
	f.Add(`{"source":["a"],"detail":{"$or":[{"a":[{"exists":false}]}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := pattern.Parse([]byte(text)); err != nil {
			return
		}
		for _, x := range fields(text) {
			if x.pattern() == "" || len(x) == 0 {
				t.Errorf("%q has a field without a pattern", text)
			}
		}
	})
}

func TestWhatWasCausedStandsBehindItsCause(t *testing.T) {
	var l links
	put := func(id, cause, correlated string, ms int64) {
		e := &envelope.Event{ID: id, Type: "T", Source: "s"}
		e.Set(causation, cause)
		e.Set(correlation, correlated)
		if !l.take("shop", place{topic: "shop", offset: ms, putMs: ms}, e) {
			t.Errorf("%s is not taken", id)
		}
	}
	put("c", "b", "a", 3)
	put("b", "a", "", 2)
	put("d", "", "a", 1)
	put("a", "c", "", 4) // round: it is told once
	put("b", "a", "", 5) // forwarded within the bus: it is told twice at most
	put("x", "y", "", 6)
	put("plain", "", "", 7)
	var got []string
	for _, c := range l.caused("a") {
		got = append(got, fmt.Sprintf("%d %s by %s at %d", c.Depth, c.ID, c.By, c.Offset))
	}
	if want := "1 d by correlationid at 1, 1 b by causationid at 2, 2 c by causationid at 3"; strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

func TestLinksAreBounded(t *testing.T) {
	var l links
	e := &envelope.Event{ID: "a", Type: strings.Repeat("t", 10_000)}
	e.Set(causation, strings.Repeat("c", mostID+1))
	if l.take("shop", place{}, e) {
		t.Error("a cause that is too long is kept")
	}
	e.Set(causation, "c")
	for range mostLinks {
		if !l.take("shop", place{}, e) {
			t.Fatal("one is not kept")
		}
	}
	if l.take("shop", place{}, e) || len(l.all[0].Type) > mostWord+len("…") {
		t.Error("there is no bound")
	}
}
