package clock

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ottla/internal/clock"
)

// node settles, or tells that it cannot.
type node struct {
	settled int
	err     error
}

func (n *node) Settle(context.Context) error { n.settled++; return n.err }
func (n *node) Fire(context.Context) error   { return nil }
func (n *node) KafkaAddr() string            { return "here" }
func (n *node) Next(context.Context) (time.Time, bool, error) {
	return time.Time{}, false, nil
}

func call(t *testing.T, o Options, method, body string, change func(*http.Request)) (int, string) {
	t.Helper()
	mux := http.NewServeMux()
	Mount(mux, o)
	r := httptest.NewRequest(method, "/clock", strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:7"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestTheClockIsMovedAndAnswersWhenAllHasSettled(t *testing.T) {
	c := &clock.Clock{}
	n := &node{}
	c.Join(n)
	o := Options{Clock: c}
	for body, want := range map[string]time.Duration{
		`{"advance":"24h"}`: 24 * time.Hour, `{"advance":"-1h30m"}`: -90 * time.Minute, `{"advance_ms":1500}`: 1500 * time.Millisecond,
	} {
		before := c.Ahead()
		code, got := call(t, o, "POST", body, nil)
		var s Shown
		if err := json.Unmarshal([]byte(got), &s); err != nil || code != 200 {
			t.Fatalf("%s: %d %s, %v", body, code, got, err)
		}
		if moved := c.Ahead() - before; moved != want || s.AheadMs != c.Ahead().Milliseconds() || s.NowMs != s.Now.UnixMilli() {
			t.Errorf("%s: moved %v, told %+v", body, moved, s)
		}
	}
	if code, got := call(t, o, "POST", `{"set":"2041-01-02T03:04:05Z"}`, nil); code != 200 || !strings.Contains(got, `"now":"2041-01-02T03:04:05`) {
		t.Errorf("set: %d %s", code, got)
	}
	if n.settled != 4 {
		t.Errorf("it settled %d times", n.settled)
	}
	if code, got := call(t, o, "GET", "", nil); code != 200 || !strings.Contains(got, `"now":"2041-01-02T`) {
		t.Errorf("get: %d %s", code, got)
	}
}

func TestWhatIsNoMoveIsRefusedAndNothingMoves(t *testing.T) {
	c := &clock.Clock{}
	for _, body := range []string{"", "{}", "[]", `{"advance":"soon"}`, `{"advance":"1h","advance_ms":3}`, `{"set":"tomorrow"}`, `{"back":"1h"}`, `{"advance_ms":9223372036854775807}`, `{"advance":"2540400h"}`, `{"set":"1969-12-31T23:59:59Z"}`, `{"set":"2200-01-01T00:00:00Z"}`, `{"advance":"1h","set":"2041-01-02T03:04:05Z"}`, strings.Repeat(" ", most+1)} {
		if code, got := call(t, Options{Clock: c}, "POST", body, nil); code != 400 || c.Ahead() != 0 {
			t.Errorf("%.40q: %d %s, %v ahead", body, code, got, c.Ahead())
		}
	}
}

func TestARealClockIsShownAndNotMoved(t *testing.T) {
	if code, got := call(t, Options{}, "POST", `{"advance":"1h"}`, nil); code != 409 || !strings.Contains(got, "--ephemeral") {
		t.Errorf("post: %d %s", code, got)
	}
	if code, got := call(t, Options{}, "GET", "", nil); code != 200 || !strings.Contains(got, `"ahead_ms":0`) {
		t.Errorf("get: %d %s", code, got)
	}
}

func TestOnlyThisMachineMovesIt(t *testing.T) {
	c := &clock.Clock{}
	page := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	far := func(r *http.Request) { r.RemoteAddr = "10.1.2.3:7" }
	for _, method := range []string{"GET", "POST"} {
		for name, change := range map[string]func(*http.Request){"a page": page, "another machine": far} {
			if code, got := call(t, Options{Clock: c}, method, `{"advance":"1h"}`, change); code != 403 {
				t.Errorf("%s by %s: %d %s", method, name, code, got)
			}
		}
	}
	if code, _ := call(t, Options{Clock: c, Trusted: true}, "POST", `{"advance":"1h"}`, far); code != 200 || c.Ahead() != time.Hour {
		t.Errorf("where callers are trusted: %d", code)
	}
}

func TestWhatDoesNotSettleIsToldByTheDoor(t *testing.T) {
	c := &clock.Clock{}
	c.Join(&node{err: errors.New("a partition has no leader")})
	if code, got := call(t, Options{Clock: c}, "POST", `{"advance":"1h"}`, nil); code != 500 || !strings.Contains(got, "no leader") {
		t.Errorf("%d %s", code, got)
	}
}
