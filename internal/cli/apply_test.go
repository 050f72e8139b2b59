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

func TestApplyMapsFunctions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "functions.yaml")
	if err := os.WriteFile(file, []byte("functions:\n  bill: {url: http://127.0.0.1:1/}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := withHTTP(t, ottla.Options{Settings: map[string]string{"functions.file": file}})
	do := commands(t, n)
	call(t, n, "", "topic", "create", "clicks").mustHold(t, 0)
	apply := func(jobs, clicks, jobsAre, clicksAre string) {
		t.Helper()
		text := "queues: {jobs: {}, bad: {}}\nmappings:\n  jobs-bill: {source: 'queue:jobs', function: bill" + jobs + "}\n  clicks-bill: {source: 'topic:clicks', function: bill" + clicks + "}\n"
		do(text, "apply", "-f", "-", "-o", "csv").mustHold(t, 0, "mapping,jobs-bill,"+jobsAre+"\n", "mapping,clicks-bill,"+clicksAre+"\n")
		do(text, "apply", "-f", "-", "-o", "csv").mustHold(t, 0, "mapping,jobs-bill,unchanged,\n", "mapping,clicks-bill,unchanged,\n")
	}
	apply("", "", "created,", "created,")
	apply(", batch: 7, window: 2s, concurrency: 2, filters: [{body: {n: [{numeric: ['>', 1]}]}}]", ", retries: 0, dead_letters: bad, deadline: 5s, filters: ['{ \"value\": [1] }', {key: [a]}]",
		`changed,"batch, concurrency, filters, window_ms"`, `changed,"dead_letters, deadline_ms, filters, retries"`)
	do("", "function", "describe", "clicks-bill", "-o", "json").mustHold(t, 0, `"retries": 0`, `"queue:bad"`, `"5s"`, `"{\"key\":[\"a\"]}"`)
	apply(", paused: true", ", from: latest, bisect: true", `changed,"paused, window_ms, filters, concurrency, batch"`, `changed,"bisect, dead_letters, filters, retries, deadline_ms"`)
	do("", "function", "describe", "clicks-bill", "-o", "json").mustHold(t, 0, `"retries": null`, `"1m0s"`)
	do("mappings: {jobs-bill: {source: 'topic:clicks', function: bill}}", "apply", "-f", "-").mustHold(t, fail.Usage, "cannot apply mapping jobs-bill", "and stays")
	do("mappings: {jobs-bill: {source: 'queue:jobs', function: bill, filters: [{body: [{nummeric: [1]}]}]}}", "apply", "-f", "-").mustHold(t, fail.Usage, "nummeric")
	do("mappings: {jobs-bill: {filters: {body: [x]}}}", "apply", "-f", "-").mustHold(t, fail.Usage, "want a list")
}
