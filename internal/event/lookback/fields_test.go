package lookback

import (
	"strings"
	"testing"

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
