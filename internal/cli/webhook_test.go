package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
	"ottla/internal/event/webhook"
)

// listening is a `webhook listen` that runs.
type listening struct {
	address string
	out     bytes.Buffer // to be read when it has ended
	code    chan int
}

func listenWith(t *testing.T, args ...string) *listening {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	l := &listening{code: make(chan int, 1)}
	said, w := io.Pipe()
	go func() {
		l.code <- Run(ctx, append([]string{"webhook", "listen", "--port", "0"}, args...), strings.NewReader(""), &l.out, w)
		_ = w.Close()
	}()
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatalf("it says %q: %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	l.address = strings.TrimSpace(strings.TrimPrefix(line, "listening at "))
	return l
}

// heardCall is a call as the command tells of it.
type heardCall struct {
	Method, Path, ID, Problem, Body string
	Verified                        *bool
	Status                          int
	Base64                          []byte `json:"body_base64"`
}

// heard are the calls that came, when it has ended.
func (l *listening) heard(t *testing.T) []heardCall {
	t.Helper()
	if code := <-l.code; code != 0 {
		t.Fatalf("exit code %d: %s", code, l.out.String())
	}
	var all []heardCall
	for line := range strings.Lines(l.out.String()) {
		var h heardCall
		if err := json.Unmarshal([]byte(line), &h); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, h)
	}
	return all
}

func TestCallsAreShownAndVerified(t *testing.T) {
	r := call(t, nil, "", "webhook", "secret", "-o", "json")
	var drawn struct{ Secret string }
	if err := json.Unmarshal([]byte(r.out), &drawn); err != nil {
		t.Fatalf("%s: %v", r.out, err)
	}
	key, err := webhook.ParseKey(drawn.Secret)
	if err != nil {
		t.Fatal(err)
	}
	l := listenWith(t, "--secret", drawn.Secret, "--status", "503,200", "-n", "3")
	var answers []string
	for i, body := range []string{"first", "second", "\xff"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.address+"in?n="+strconv.Itoa(i), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		s := webhook.Sign([]webhook.Key{key}, "msg_1", time.Now().Unix(), []byte("first"))
		req.Header.Set(webhook.HeaderID, s.ID)
		req.Header.Set(webhook.HeaderTimestamp, s.Timestamp)
		req.Header.Set(webhook.HeaderSignature, s.Signature)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		answers = append(answers, strconv.Itoa(resp.StatusCode))
	}
	got := l.heard(t)
	if len(got) != 3 || strings.Join(answers, " ") != "503 200 200" {
		t.Fatalf("%d calls, answered %v", len(got), answers)
	}
	if h := got[0]; !*h.Verified || h.Body != "first" || h.Path != "/in?n=0" || h.Method != "POST" || h.ID != "msg_1" || h.Status != 503 {
		t.Errorf("the first: %+v", h)
	}
	if h := got[1]; *h.Verified || h.Problem == "" || h.Body != "second" {
		t.Errorf("the second has another's signature: %+v", h)
	}
	if h := got[2]; h.Body != "" || string(h.Base64) != "\xff" {
		t.Errorf("the third is no text: %+v", h)
	}
}

// An event of a bus reaches an address on this machine, signed, and the call is told.
func TestAnEventIsDeliveredToAListener(t *testing.T) {
	var clock ottla.Clock
	n := withHTTP(t, ottla.Options{Clock: &clock})
	r := call(t, nil, "", "webhook", "secret", "-o", "template={{.secret}}")
	secret := strings.TrimSpace(r.out)
	l := listenWith(t, "--secret", secret, "-n", "1")
	call(t, n, "", "bus", "create", "shop", "--http", n.HTTPAddr()).mustHold(t, 0)
	call(t, n, "", "rule", "put", "big", "--bus", "shop", "--pattern", `{"detail":{"total":[{"numeric":[">",100]}]}}`, "--to", l.address, "--secret", secret,
		"--http", n.HTTPAddr()).mustHold(t, 0)
	call(t, n, "", "event", "put", "shop", "OrderPlaced", `{"total":120}`, "--id", "e-1", "--http", n.HTTPAddr()).mustHold(t, 0)
	got := l.heard(t)
	if len(got) != 1 || !*got[0].Verified || !strings.Contains(got[0].Body, `"total":120`) {
		t.Fatalf("came: %+v", got)
	}
	if err := clock.Advance(t.Context(), time.Second); err != nil { // what came of it is noted then
		t.Fatal(err)
	}
	call(t, n, "", "webhook", "attempts", "--rule", "shop/big", "--event", "e-1").mustHold(t, 0, "shop/big", "e-1", "200", "taken")
	call(t, n, "", "webhook", "attempts", "--failed").mustHold(t, 0, "no calls")
}

func TestWhatListeningRefuses(t *testing.T) {
	for _, args := range [][]string{{"--secret", "whsec_!"}, {"--status", "99"}, {"--status", "100"}} {
		if r := call(t, nil, "", append([]string{"webhook", "listen", "--port", "0"}, args...)...); r.code != fail.Usage {
			t.Errorf("%v: exit code %d: %s", args, r.code, r.err)
		}
	}
	if r := call(t, nil, "", "webhook", "attempts", "-n", "0"); r.code != fail.Usage {
		t.Errorf("-n 0: exit code %d: %s", r.code, r.err)
	}
}
