package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"ottla/internal/cli/fail"
)

func TestAQuestionAndItsAnswer(t *testing.T) {
	var seen string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		seen = fmt.Sprint(r.Method, " ", r.URL.RequestURI(), " ", r.Header.Get("Content-Type"), " ", string(b))
		fmt.Fprint(w, `{"n":5}`)
	}))
	defer s.Close()
	c := New(strings.TrimPrefix(s.URL, "http://"), time.Minute)
	var got struct{ N int }
	if err := c.Do(context.Background(), "cannot", "PUT", Path("a", "b/c d"), url.Values{"x": {"1 2"}}, map[string]int{"m": 3}, &got); err != nil {
		t.Fatal(err)
	}
	if want := `PUT /a/b%2Fc%20d?x=1+2 application/json {"m":3}`; seen != want || got.N != 5 {
		t.Errorf("asked %s, want %s; got %+v", seen, want, got)
	}
	if err := c.Do(context.Background(), "cannot", "POST", "/raw", nil, []byte("bytes"), nil); err != nil || seen != "POST /raw  bytes" {
		t.Errorf("%v: asked %s", err, seen)
	}
	if err := c.Do(context.Background(), "cannot", "GET", "/none", nil, nil, nil); err != nil || seen != "GET /none  " {
		t.Errorf("%v: asked %s", err, seen)
	}
}

func TestRefusalsAreFailures(t *testing.T) {
	status, body := 200, ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer s.Close()
	for _, c := range []struct {
		status    int
		body      string
		code      int
		why, next string
	}{
		{404, `{"error":{"code":"NOT_FOUND","message":"there is none","hint":"make it"}}`, fail.NotFound, "there is none", "make it"},
		{400, `{"error":{"message":"wrong"}}`, fail.Usage, "wrong", ""},
		{403, `{"error":{"message":"no"}}`, fail.NotAllowed, "no", ""},
		{503, `{"error":{"message":"later"}}`, fail.TimedOut, "later", ""},
		{409, `{"error":{"message":"there"}}`, fail.Failed, "there", ""},
		{404, "404 page not found\n", fail.NotFound, "HTTP 404: 404 page not found", "is that the HTTP port"},
		{200, "hello", fail.Failed, "not understood", "is that the HTTP port"},
	} {
		status, body = c.status, c.body
		var into any
		err := New(s.URL, time.Minute).Do(context.Background(), "cannot do it", "GET", "/", nil, nil, &into)
		var f *fail.Failure
		if !errors.As(err, &f) || f.Code != c.code || f.What != "cannot do it" || !strings.Contains(f.Why, c.why) || !strings.HasPrefix(f.Next, c.next) {
			t.Errorf("%d %s: %+v", c.status, c.body, err)
		}
	}
}

func TestANodeThatIsNotThere(t *testing.T) {
	err := New("127.0.0.1:1", time.Minute).Do(context.Background(), "cannot", "GET", "/", nil, nil, nil)
	if fail.CodeOf(err) != fail.Unreachable || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
	stop := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer s.Close()
	defer close(stop)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err = New(s.URL, time.Minute).Do(ctx, "cannot", "GET", "/", nil, nil, nil)
	if fail.CodeOf(err) != fail.TimedOut || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("got %v", err)
	}
}
