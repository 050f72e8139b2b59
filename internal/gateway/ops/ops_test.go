package ops

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(t *testing.T, o Options, path, from string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = from
	w := httptest.NewRecorder()
	Handler(o).ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func options(checks ...Check) Options {
	return Options{
		Checks:  func() []Check { return checks },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ottla_up 1\n")) }),
		Pages:   map[string]http.Handler{"/metrics/more": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("more 2\n")) })},
		Version: "1.2.3",
		Kafka:   func() string { return "127.0.0.1:9092" },
	}
}

func TestReadyListsEveryCheckAndFailsOnOne(t *testing.T) {
	good, bad := Check{Name: "metadata", OK: true}, Check{Name: "partitions", Detail: "3 of 10 are still recovering"}
	if code, body := get(t, options(good), "/readyz", "127.0.0.1:1"); code != 200 || body != "ok        metadata\n" {
		t.Errorf("all good: got %d %q", code, body)
	}
	code, body := get(t, options(good, bad), "/readyz", "127.0.0.1:1")
	if code != 503 || !strings.Contains(body, "not ready partitions: 3 of 10 are still recovering\n") || !strings.Contains(body, "ok        metadata\n") {
		t.Errorf("one bad: got %d %q", code, body)
	}
}

func TestPagesAnswer(t *testing.T) {
	for path, want := range map[string]string{"/livez": "alive", "/metrics": "ottla_up 1", "/metrics/more": "more 2", "/": "127.0.0.1:9092\nhealth   /livez /readyz\nmetrics  /metrics /metrics/more\n"} {
		if code, body := get(t, options(), path, "10.0.0.7:1"); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %q, want it to hold %q", path, code, body, want)
		}
	}
	if code, _ := get(t, options(), "/nothing", "127.0.0.1:1"); code != 404 {
		t.Errorf("/nothing: got %d, want 404", code)
	}
}

func TestProfilesAreForThisMachineOnly(t *testing.T) {
	if code, _ := get(t, options(), "/debug/pprof/", "127.0.0.1:5"); code != 200 {
		t.Errorf("from loopback: got %d, want 200", code)
	}
	if code, _ := get(t, options(), "/debug/pprof/", "192.168.1.4:5"); code != 403 {
		t.Errorf("from elsewhere: got %d, want 403", code)
	}
}
