package pattern

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every example of docs/events/patterns.md does what the page says.
func TestThePageAboutPatternsIsTrue(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/events/patterns.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	blocks := regexp.MustCompile("(?s)```(json \\w+|)\n(.*?)\n```").FindAllStringSubmatch(page, -1)
	event, refusal, seen := "", "", map[string]int{}
	for _, b := range blocks {
		kind, text := b[1], b[2]
		seen[kind]++
		switch kind {
		case "json event":
			event = text
		case "json matches", "json fails":
			fits, err := mustParse(t, text).Matches([]byte(event))
			if want := kind == "json matches"; err != nil || fits != want {
				t.Errorf("%s: got %v, %v, want %v", text, fits, err, want)
			}
		case "json refused":
			_, err := Parse([]byte(text))
			if err == nil {
				t.Fatalf("%s is taken", text)
			}
			refusal = err.Error()
		case "":
			if text != refusal {
				t.Errorf("the page says\n%s\nand the refusal is\n%s", text, refusal)
			}
		}
	}
	for kind, least := range map[string]int{"json event": 1, "json matches": 6, "json fails": 3, "json refused": 1, "": 1} {
		if seen[kind] < least {
			t.Errorf("%d blocks of kind %q, want %d: the page has changed its shape", seen[kind], kind, least)
		}
	}
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| `(\\{.*\\})` \\|$").FindAllStringSubmatch(page, -1)
	operators := map[string]bool{}
	for _, r := range rows {
		fits, err := mustParse(t, r[1]).Matches([]byte(event))
		if err != nil || !fits {
			t.Errorf("the row of %s: %v, %v", r[1], fits, err)
		}
		for _, o := range reserved[:9] {
			operators[o] = operators[o] || strings.Contains(r[1], `"`+o+`"`)
		}
	}
	delete(operators, "exactly") // event-ruler's own, which EventBridge does not tell of
	for o, shown := range operators {
		if !shown {
			t.Errorf("no row shows %s", o)
		}
	}
	if len(rows) < 19 {
		t.Errorf("%d rows with examples", len(rows))
	}
}
