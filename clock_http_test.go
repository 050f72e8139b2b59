package ottla_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"ottla"
)

// post moves the clock of a node over HTTP.
func post(t *testing.T, node *ottla.Server, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t), http.MethodPost, "http://"+node.HTTPAddr()+"/clock", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// A day of delays in a moment, from any language.
func TestTheClockIsMovedOverHTTP(t *testing.T) {
	node := start(t, ottla.Options{Clock: new(ottla.Clock), HTTP: "127.0.0.1:0"})
	line(t, node, "later", "orders")
	later(t, client(t, node), "later", "x", "deliver-after", "24h")
	if code, got := post(t, node, `{"advance":"23h"}`); code != 200 || !strings.Contains(got, `"ahead_ms":82800000`) {
		t.Errorf("%d %s", code, got)
	}
	if _, end := starts(t, node, "orders"); end != 0 {
		t.Errorf("after 23 hours there are %d records", end)
	}
	if code, got := post(t, node, `{"advance_ms":3600000}`); code != 200 {
		t.Errorf("%d %s", code, got)
	}
	if _, end := starts(t, node, "orders"); end != 1 {
		t.Errorf("after a day there are %d records", end)
	}
	real := start(t, ottla.Options{HTTP: "127.0.0.1:0"})
	if code, got := post(t, real, `{"advance":"1h"}`); code != 409 {
		t.Errorf("a clock that is real: %d %s", code, got)
	}
}
