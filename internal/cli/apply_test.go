package cli

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ottla"
	"ottla/internal/cli/fail"
)

// shopFile is the file that fuzzing of apply begins with.
//
//go:embed events/testdata/shop.yaml
var shopFile string

func TestApplyMakesThingsBeAsAFileSays(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	do := commands(t, n)
	file := filepath.Join(t.TempDir(), "shop.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	results := func(r result) (out []string) {
		t.Helper()
		r.mustHold(t, 0)
		for line := range strings.Lines(r.out) {
			f := strings.Split(strings.TrimSpace(line), ",")
			out = append(out, strings.Join(f[:3], " ")+" "+strings.Join(f[3:], ","))
		}
		return out[1:]
	}
	write(shopFile)
	for _, line := range results(do("", "apply", "-f", file, "--diff", "-o", "csv")) {
		if !strings.Contains(line, "would be created") {
			t.Errorf("at first --diff tells %s", line)
		}
	}
	do("", "queue", "list").mustHold(t, 0, "no queues yet")
	for _, line := range results(do("", "apply", "-f", file, "-o", "csv")) {
		if !strings.Contains(line, "created") {
			t.Errorf("at first: %s", line)
		}
	}
	for _, line := range results(do("", "apply", "-f", file, "-o", "csv")) {
		if !strings.Contains(line, "unchanged") {
			t.Errorf("the second time: %s", line)
		}
	}
	changed := strings.NewReplacer("exists: false", "exists: true", "30d", "31d", "visibility: 1m", "visibility: 2m", "input: report", "input: other", "Paid]", "Paid, Sent]").Replace(shopFile)
	write(changed)
	want := map[string]string{"queue billing": "visibility_ms", "bus shop": "retention_ms", "archive paid": "pattern", "rule shop/big": "pattern", "schedule default/nightly": "target"}
	for _, line := range results(do("", "apply", "-f", file, "-o", "csv")) {
		f := strings.Fields(line)
		if field := want[f[0]+" "+f[1]]; field != "" && !strings.Contains(line, "changed "+field) || field == "" && !strings.Contains(line, "unchanged") {
			t.Errorf("changed: %s, want %q", line, field)
		}
	}
	write(strings.Replace(changed, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_NfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1))
	do("", "apply", "-f", file).mustHold(t, 0, "targets")
	do("rules: {shop/x: {pattern: {a: [{nummeric: [1]}]}}}", "apply", "-f", "-").mustHold(t, fail.Usage, "cannot apply rule shop/x", "nummeric")
	do("ruels: {}", "apply", "-f", "-").mustHold(t, fail.Usage, "ruels")
	do("rules: [", "apply", "-f", "-").mustHold(t, fail.Usage, "YAML")
}
