package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
)

// withFunction is a node that declares a function bill, and what that is called with.
func withFunction(t *testing.T) (*ottla.Server, <-chan string) {
	t.Helper()
	came := make(chan string, 100)
	site := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		event, _ := io.ReadAll(r.Body)
		came <- string(event)
	}))
	t.Cleanup(site.Close)
	file := filepath.Join(t.TempDir(), "functions.yaml")
	if err := os.WriteFile(file, []byte("functions:\n  bill: {url: "+site.URL+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return withHTTP(t, ottla.Options{Settings: map[string]string{"functions.file": file}}), came
}

func TestAMappingsLifeByCommands(t *testing.T) {
	n, came := withFunction(t)
	do := commands(t, n)
	do("", "function", "list").mustHold(t, 0, "no mappings yet")
	do("", "function", "map", "queue:orders", "bill").mustHold(t, fail.Usage, "cannot map queue:orders to bill", "there is no queue orders")
	do("", "queue", "create", "orders").mustHold(t, 0)
	do("", "function", "map", "queue:orders", "pay").mustHold(t, fail.Usage, "declares no pay")
	do("", "function", "map", "orders", "bill").mustHold(t, fail.Usage, "want queue:NAME or topic:NAME")
	do("", "function", "map", "queue:orders", "bill", "--bisect").mustHold(t, fail.Usage, "bisect")
	do("", "function", "map", "queue:orders", "bill", "--batch", "7", "--paused").mustHold(t, 0, "orders-bill", "queue:orders", "paused", "7")
	do("", "queue", "send", "orders", "hello").mustHold(t, 0)
	do("", "function", "resume", "orders-bill").mustHold(t, 0, "orders-bill", "enabled")
	select {
	case event := <-came:
		result{out: event}.mustHold(t, 0, `"body":"hello"`, `"eventSource":"aws:sqs"`)
	case <-time.After(2 * time.Minute):
		t.Fatal("the function was not called")
	}
	do("", "function", "map", "topic:__ottla_objects", "bill").mustHold(t, fail.Usage, "internal")
	do("", "function", "list").mustHold(t, 0, "orders-bill", "queue:orders", "bill")
	do("", "function", "describe", "orders-bill").mustHold(t, 0, "orders-bill", "event-source-mapping:orders-bill")
	do("", "function", "describe", "none").mustHold(t, fail.NotFound, "cannot describe mapping none", "there is no such mapping")
	do("", "function", "unmap", "orders-bill").mustHold(t, 0, "deleted")
	call(t, n, "", "topic", "create", "clicks").mustHold(t, 0)
	do("", "function", "map", "topic:clicks", "bill", "--max-age", "4d", "--window", "2s", "--paused").mustHold(t, 0, "96h0m0s", "2s")
	do("", "function", "map", "topic:clicks", "bill", "--max-age", "soon").mustHold(t, fail.Usage, "--max-age", "7d")
	do("", "function", "map", "topic:clicks", "bill", "--filter", `{"value":[1]}`, "--filter", `{"key":["a"]}`, "-o", "json").mustHold(t, 0, `"{\"value\":[1]}"`, `"{\"key\":[\"a\"]}"`)
	do("", "function", "map", "topic:clicks", "bill", "--filter", `{"value":[{"nummeric":[1]}]}`).mustHold(t, fail.Usage, "filters", "nummeric")
	do("", "function", "unmap", "clicks-bill").mustHold(t, 0, "deleted")
	// The same by Lambda's API.
	resp, err := http.Post("http://"+n.HTTPAddr()+"/2015-03-31/event-source-mappings/", "application/json",
		strings.NewReader(`{"EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:orders","FunctionName":"bill","BatchSize":3,"FilterCriteria":{"Filters":[{"Pattern":"{\"body\":[\"mine\"]}"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	made, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", resp.Status, made, err)
	}
	var told struct{ UUID string }
	if err := json.Unmarshal(made, &told); err != nil {
		t.Fatal(err)
	}
	do("", "function", "describe", told.UUID).mustHold(t, 0, "queue:orders", "bill", "3", `{"body":["mine"]}`)
	do("", "queue", "send", "orders", "not mine").mustHold(t, 0)
	do("", "queue", "send", "orders", "mine").mustHold(t, 0)
	select {
	case event := <-came:
		result{out: event}.mustHold(t, 0, `"body":"mine"`)
	case <-time.After(2 * time.Minute):
		t.Fatal("the function was not called")
	}
	do("", "function", "unmap", told.UUID).mustHold(t, 0, "deleted")
	do("", "function", "list").mustHold(t, 0, "no mappings yet")
}
