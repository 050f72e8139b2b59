package transform_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ottla/internal/event/envelope"
	"ottla/internal/event/transform"
)

// The tables of the page say what becomes of the page's event.
func TestThePageSaysWhatIsSent(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "events", "transforms.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	text, rest, _ := strings.Cut(rest, "\n```")
	e, err := envelope.FromEnvelope([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	vars := transform.Vars{RuleName: "big", RuleARN: "arn:aws:events:us-east-1:123456789012:rule/big", Event: e}
	for line := range strings.Lines(rest) {
		row, ok := strings.CutPrefix(strings.TrimSpace(line), "| `")
		from, want, found := strings.Cut(strings.TrimSuffix(row, "` |"), "` | `")
		if !ok || !found {
			continue
		}
		n++
		s := transform.Spec{Template: from}
		if strings.HasPrefix(from, "$") {
			s = transform.Spec{InputPath: from}
		}
		tr, err := transform.Parse(s)
		if err != nil {
			t.Errorf("%s: %v", from, err)
			continue
		}
		if got, err := tr.Apply(e.AppendDocument(nil), vars); err != nil || string(got) != want {
			t.Errorf("%s makes\n%s, and the page says\n%s (%v)", from, got, want, err)
		}
	}
	if n < 15 {
		t.Errorf("the page has %d examples", n)
	}
}
