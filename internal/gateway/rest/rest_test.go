package rest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ottla/internal/event/object"
	"ottla/internal/event/queue"
	"ottla/internal/gateway/fake"
)

func TestOtherMachinesAndPagesAreRefused(t *testing.T) {
	for _, c := range []struct {
		from, site string
		trusted    bool
		code       int
	}{
		{"127.0.0.1:1", "", false, 200}, {"10.1.2.3:1", "", false, 403}, {"10.1.2.3:1", "", true, 200},
		{"127.0.0.1:1", "same-origin", false, 200}, {"127.0.0.1:1", "cross-site", false, 403}, {"127.0.0.1:1", "same-site", true, 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "/q", nil)
		r.RemoteAddr = c.from
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		w := httptest.NewRecorder()
		mounted(t, fake.New(), c.trusted).ServeHTTP(w, r)
		if w.Code != c.code {
			t.Errorf("%+v: got %d %s", c, w.Code, w.Body)
		}
	}
}

func TestFailuresHaveTheirCodesAndTellNothingOfTheInside(t *testing.T) {
	for err, want := range map[error]struct {
		status int
		code   string
	}{
		fake.ErrSome: {500, "INTERNAL"}, queue.ErrUnavailable: {503, "UNAVAILABLE"}, queue.ErrTooMany: {429, "TOO_MANY_IN_FLIGHT"},
		queue.ErrInvalid: {400, "INVALID"}, queue.ErrBusy: {409, "MOVE_RUNNING"}, object.ErrConflict: {409, "CHANGED_MEANWHILE"},
	} {
		queues := fake.New()
		queues.Refuse = err
		for _, path := range []string{"/q", "/q/orders", "/q/orders/take"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.RemoteAddr = "127.0.0.1:1"
			w := httptest.NewRecorder()
			mounted(t, queues, false).ServeHTTP(w, r)
			var told struct{ Error Error }
			if e := json.Unmarshal(w.Body.Bytes(), &told); e != nil || w.Code != want.status || told.Error.Code != want.code || strings.Contains(told.Error.Message, "fire") {
				t.Errorf("%v at %s: got %d %+v, %v", err, path, w.Code, told, e)
			}
			if later := w.Header().Get("Retry-After"); (later == "1") != (want.status == 503) {
				t.Errorf("%v at %s: Retry-After is %q", err, path, later)
			}
		}
	}
}

func TestAMessageThatIsTooLargeIsRefused(t *testing.T) {
	queues := fake.New()
	door := mounted(t, queues, false)
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.RemoteAddr = "127.0.0.1:1"
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		return w
	}
	ask("PUT", "/q/orders", "")
	if w := ask("POST", "/q/orders", strings.Repeat("x", queue.MaxMessageBytes)); w.Code != 200 {
		t.Errorf("a message of the largest size: %d %s", w.Code, w.Body)
	}
	if w := ask("POST", "/q/orders", strings.Repeat("x", queue.MaxMessageBytes+1)); w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "TOO_LARGE") {
		t.Errorf("a larger one: %d %s", w.Code, w.Body)
	}
	ask("PATCH", "/q/orders", `{"max_message_bytes":1024}`)
	if w := ask("POST", "/q/orders", strings.Repeat("x", 1025)); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("one that the queue does not take: %d %s", w.Code, w.Body)
	}
}

// Addresses in notifications begin as the cluster was reached.
func TestWhoSubscribesByTLSIsAskedToConfirmByTLS(t *testing.T) {
	for url, want := range map[string]string{"http://ottla.test:8080/sns": "http://ottla.test:8080", "https://ottla.test/sns": "https://ottla.test"} {
		if got := baseOf(httptest.NewRequest(http.MethodPost, url, nil)); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
	behind := httptest.NewRequest(http.MethodPost, "http://ottla.test/sns", nil)
	behind.Header.Set("X-Forwarded-Proto", "https")
	if got := baseOf(behind); got != "https://ottla.test" {
		t.Errorf("behind what ends TLS: %s", got)
	}
}

// Nothing that a client sends makes the door panic or fail.
func FuzzBodiesNeverPanic(f *testing.F) {
	for _, s := range []string{
		`{"messages":[{"body":"x"}]}`, `{"receipts":["x"]}`, "{\"body\":\"x\"}\n{\"body\":1}", `{"visibility_ms":1}`, `{"rate":1,"to":"orders"}`, `{"messages":[{"body":null}]}`, "",
	} {
		f.Add(0, s)
	}
	targets := [][2]string{
		{"PUT", "/q/new"}, {"PATCH", "/q/orders"}, {"POST", "/q/orders"}, {"POST", "/q/orders/batch"}, {"POST", "/q/orders/ack"},
		{"POST", "/q/orders/nack"}, {"POST", "/q/orders/extend"}, {"POST", "/q/orders/reject"}, {"POST", "/q/orders/moves"},
		{"PUT", "/schedule/default/x"}, {"POST", "/schedule-preview"}, {"PUT", "/schedule-group/x"},
	}
	f.Fuzz(func(t *testing.T, n int, body string) {
		door := mounted(t, fake.New(), true)
		door.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("PUT", "/q/orders", nil))
		for _, kind := range []string{typeJSON, typeLines} {
			to := targets[uint(n)%uint(len(targets))]
			r := httptest.NewRequest(to[0], to[1], strings.NewReader(body))
			r.Header.Set("Content-Type", kind)
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Errorf("%v %q as %s: got %d %s", to, body, kind, w.Code, w.Body)
			}
		}
	})
}
