package front

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// parkPort is a port whose /wait parks and whose other paths answer at once.
// What is sent on come is what a poll waits for.
type parkPort struct {
	*Front
	come    chan string
	serving chan struct{} // one for each poll whose turn it is
	gone    chan struct{} // one for each poll whose caller went
	wait    time.Duration
}

func startPark(t *testing.T, wait time.Duration) *parkPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &parkPort{come: make(chan string), serving: make(chan struct{}, 100), gone: make(chan struct{}, 100), wait: wait}
	p.Front = Serve(l, Options{Handler: http.HandlerFunc(p.handle), Logger: slog.New(slog.DiscardHandler)})
	return p
}

func (p *parkPort) handle(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/wait" {
		io.WriteString(w, "at once")
		return
	}
	w.Header().Set("X-Early", "kept")
	parked := Park(w, r, Poll{
		Key: "the key", Wait: p.wait,
		Serve: func(ctx context.Context, w http.ResponseWriter) {
			p.serving <- struct{}{}
			select {
			case what := <-p.come:
				w.WriteHeader(http.StatusAccepted)
				io.WriteString(w, what)
			case <-ctx.Done():
				p.gone <- struct{}{}
				io.WriteString(w, "nothing")
			}
		},
		Over: func(w http.ResponseWriter) { io.WriteString(w, "over") },
	})
	if !parked {
		http.Error(w, "it cannot be parked", http.StatusInternalServerError)
	}
}

// caller is a connection of a client.
type caller struct {
	net.Conn
	in *bufio.Reader
}

func (p *parkPort) dial(t *testing.T) *caller {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &caller{c, bufio.NewReader(c)}
}

func (c *caller) ask(t *testing.T, paths ...string) {
	t.Helper()
	text := ""
	for _, p := range paths {
		text += "GET " + p + " HTTP/1.1\r\nHost: localhost\r\n\r\n"
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func (c *caller) want(t *testing.T, status int, body string) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || string(got) != body {
		t.Fatalf("got %d %q, %v, want %d %q", resp.StatusCode, got, err, status, body)
	}
	return resp
}

func (p *parkPort) stop(t *testing.T) {
	t.Helper()
	if err := p.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// A connection waits, is answered, and serves on, again and again.
func TestAParkedConnectionServesOn(t *testing.T) {
	p := startPark(t, time.Hour)
	c := p.dial(t)
	for range 3 {
		c.ask(t, "/wait")
		p.come <- "it came"
		resp := c.want(t, http.StatusAccepted, "it came")
		if resp.Header.Get("X-Early") != "kept" || resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Date") == "" {
			t.Errorf("headers %v", resp.Header)
		}
		c.ask(t, "/now")
		c.want(t, http.StatusOK, "at once")
	}
	p.stop(t)
}

// What a client sends before it has its answer is not lost.
func TestRequestsBehindAParkedOneAreServedAfterIt(t *testing.T) {
	p := startPark(t, time.Hour)
	c := p.dial(t)
	c.ask(t, "/wait", "/now", "/wait", "/now")
	for range 2 {
		p.come <- "it came"
		c.want(t, http.StatusAccepted, "it came")
		c.want(t, http.StatusOK, "at once")
	}
	c.ask(t, "/wait")
	<-p.serving
	<-p.serving
	<-p.serving
	c.ask(t, "/now") // while it is served
	p.come <- "late"
	c.want(t, http.StatusAccepted, "late")
	c.want(t, http.StatusOK, "at once")
	p.stop(t)
}

// What a client sends as a body, and nobody reads, is no part of its next request.
func TestTheBodyOfAParkedRequestIsNotTheNextRequest(t *testing.T) {
	p := startPark(t, time.Hour)
	c := p.dial(t)
	for _, body := range []string{"Content-Length: 4\r\n\r\nnull", "Transfer-Encoding: chunked\r\n\r\n4\r\nnull\r\n0\r\n\r\n"} {
		if _, err := io.WriteString(c, "POST /wait HTTP/1.1\r\nHost: localhost\r\n"+body); err != nil {
			t.Fatal(err)
		}
		p.come <- "it came"
		c.want(t, http.StatusAccepted, "it came")
		c.ask(t, "/now")
		c.want(t, http.StatusOK, "at once")
	}
	long := strings.Repeat("x", 2*mostUnread)
	if _, err := fmt.Fprintf(c, "POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(long), long); err != nil {
		t.Fatal(err)
	}
	c.want(t, http.StatusInternalServerError, "it cannot be parked\n")
	p.stop(t)
}

// Polls of one key are served a few at once; the others wait without a
// goroutine, and end when their time is over.
func TestPollsBehindOthersEndInTime(t *testing.T) {
	p := startPark(t, time.Hour)
	var first []*caller
	for range laneWidth {
		c := p.dial(t)
		c.ask(t, "/wait")
		<-p.serving
		first = append(first, c)
	}
	p.wait = time.Millisecond
	late := p.dial(t)
	late.ask(t, "/wait")
	late.want(t, http.StatusOK, "over")
	late.ask(t, "/now")
	late.want(t, http.StatusOK, "at once")
	p.wait = time.Hour
	next := p.dial(t)
	next.ask(t, "/wait")
	for range laneWidth + 1 {
		p.come <- "it came"
	}
	for _, c := range append(first, next) {
		c.want(t, http.StatusAccepted, "it came")
	}
	p.stop(t)
}

func TestAPollWhoseCallerGoesEnds(t *testing.T) {
	p := startPark(t, time.Hour)
	c := p.dial(t)
	c.ask(t, "/wait")
	<-p.serving
	c.Close()
	<-p.gone
	p.stop(t)
}

// Who has closed his sending half, as shell tools do behind their last request, has an
// answer all the same, at once: the front cannot tell him from one who went.
func TestAPollWhoseCallerSendsNothingMoreIsAnswered(t *testing.T) {
	p := startPark(t, time.Hour)
	half := func(c *caller) {
		t.Helper()
		if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	var served []*caller
	for range laneWidth {
		c := p.dial(t)
		c.ask(t, "/wait")
		<-p.serving
		served = append(served, c)
	}
	behind := p.dial(t)
	behind.ask(t, "/wait")
	half(behind)
	half(served[0])
	if resp := served[0].want(t, http.StatusOK, "nothing"); !resp.Close {
		t.Error("the connection does not end")
	}
	behind.want(t, http.StatusOK, "over") // in its turn
	for _, c := range served[1:] {
		p.come <- "it came"
		c.want(t, http.StatusAccepted, "it came")
	}
	p.stop(t)
}

// A stop answers who waits, served or not.
func TestAStopEndsPolls(t *testing.T) {
	p := startPark(t, time.Hour)
	var served []*caller
	for range laneWidth {
		c := p.dial(t)
		c.ask(t, "/wait")
		<-p.serving
		served = append(served, c)
	}
	p.stop(t)
	for _, c := range served {
		c.want(t, http.StatusOK, "nothing")
	}
	if _, err := served[0].in.ReadByte(); err != io.EOF {
		t.Errorf("after a stop the connection gives %v, want EOF", err)
	}
}

// Where a connection cannot be taken the caller waits himself.
func TestWhatCannotBeParkedIsNot(t *testing.T) {
	var asked atomic.Bool
	poll := Poll{Key: "k", Wait: time.Hour, Serve: func(context.Context, http.ResponseWriter) { asked.Store(true) }, Over: func(http.ResponseWriter) { asked.Store(true) }}
	if Park(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), poll) || asked.Load() {
		t.Error("a request without a front is parked")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := Serve(l, Options{Logger: slog.New(slog.DiscardHandler), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if Park(w, r, poll) {
			t.Error("a connection that ends with its request is parked")
		}
		io.WriteString(w, "himself")
	})})
	for _, request := range []string{"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"} {
		c, err := net.Dial("tcp", f.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, request)
		(&caller{c, bufio.NewReader(c)}).want(t, http.StatusOK, "himself")
		c.Close()
	}
	if err := f.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
