package bus_test

import (
	"errors"
	"testing"

	"ottla/internal/event/bus"
	"ottla/internal/event/pattern"
)

func TestPatternsMaySpeakOfCloudEvents(t *testing.T) {
	doc := event("app", "Placed", `{"n":5,"type":"x"}`).AppendDocument(nil)
	for text, want := range map[string]bool{
		`{"type":["Placed"]}`: true, `{"type":["x"]}`: false, `{"data":{"n":[5]}}`: true, `{"detail":{"type":["x"]}}`: true, `{"data":{"type":["x"]}}`: true,
		`{"detail-type":["Placed"],"source":["app"]}`: true, `{"$or":[{"type":["Other"]},{"data":{"n":[5]}}]}`: true, `{"$or":[{"type":["Other"]},{"data":{"n":[6]}}]}`: false,
		`{"specversion":["1.0"]}`: true,
	} {
		p, err := bus.ParsePattern(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := p.Matches(doc); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{`{"type":["a"],"detail-type":["b"]}`, `{"data":{"n":[{"nummeric":[1]}]}}`, `{`, `[]`, `{}x`} {
		_, err := bus.ParsePattern(text)
		if !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := bus.ParsePattern(`{"data":{"n":[{"nummeric":[1]}]}}`)
	if where := (*pattern.Error)(nil); !errors.As(err, &where) || where.Column != 16 {
		t.Errorf("the place of a mistake: %+v of %v", where, err)
	}
}

func FuzzPatternsAreTranslated(f *testing.F) {
	for _, text := range []string{`{"type":["a"]}`, `{"$or":[{"type":["a"]},{"data":{"b":[1]}}]}`, `{"a":[{"exists":true}]}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := bus.ParsePattern(text); err != nil {
			return
		}
		if _, err := pattern.Parse([]byte(text)); err != nil {
			t.Errorf("%q is taken, and is no pattern: %v", text, err)
		}
	})
}
