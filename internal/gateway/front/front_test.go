package front

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGuardLetsOnlyThisNodesNamesAndPagesIn(t *testing.T) {
	h := Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "in") }), []string{"ottla.example"})
	for _, c := range []struct {
		host, origin string
		want         int
	}{
		{"127.0.0.1:8080", "", 200},
		{"localhost:8080", "", 200},
		{"LOCALHOST", "", 200},
		{"[::1]:8080", "", 200},
		{"ottla.example:8080", "", 200},
		{"Ottla.Example", "", 200},
		{"evil.example:8080", "", 421},
		{"ottla.example.evil.example", "", 421},
		{"localhost.evil.example", "", 421},
		{"", "", 421},
		{"localhost:8080", "http://localhost:8080", 200},
		{"localhost:8080", "http://localhost:9999", 403},
		{"localhost:8080", "https://evil.example", 403},
		{"localhost:8080", "null", 403},
		{"localhost:8080", "file://", 403},
		{"127.0.0.1:8080", "http://localhost:8080", 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("host %q origin %q: got %d, want %d (%s)", c.host, c.origin, w.Code, c.want, strings.TrimSpace(w.Body.String()))
		}
	}
}

// A browser says where a request comes from. A picture or a script of another
// site is refused, a link that somebody follows is let in, and doors that act
// can tell it all the same.
func TestGuardRefusesWhatPagesOfOtherSitesCause(t *testing.T) {
	h := Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if FromPage(r) {
			io.WriteString(w, "a page")
		} else {
			io.WriteString(w, "nobody")
		}
	}), nil)
	for _, c := range []struct {
		method, site, mode, dest string
		code                     int
		body                     string
	}{
		{"GET", "", "", "", 200, "nobody"},
		{"GET", "none", "navigate", "document", 200, "nobody"},
		{"POST", "same-origin", "cors", "empty", 200, "nobody"},
		{"GET", "cross-site", "navigate", "document", 200, "a page"},
		{"GET", "same-site", "navigate", "document", 200, "a page"},
		{"POST", "cross-site", "navigate", "document", 403, ""},
		{"GET", "cross-site", "navigate", "iframe", 403, ""},
		{"GET", "cross-site", "no-cors", "image", 403, ""},
		{"GET", "same-site", "cors", "empty", 403, ""},
		{"GET", "something new", "cors", "empty", 403, ""},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.Host = "localhost:8080"
		for name, value := range map[string]string{"Sec-Fetch-Site": c.site, "Sec-Fetch-Mode": c.mode, "Sec-Fetch-Dest": c.dest} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.code || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%+v: got %d %q", c, w.Code, w.Body.String())
		}
	}
}

func TestFromHereIsThisMachineAlone(t *testing.T) {
	for remote, want := range map[string]bool{
		"127.0.0.1:4711": true, "127.8.9.10:1": true, "[::1]:4711": true, "[::ffff:127.0.0.1]:4711": true,
		"10.0.0.1:4711": false, "[fe80::1%eth0]:4711": false, "[::ffff:10.0.0.1]:4711": false, "": false, "pipe": false, "localhost:1": false,
	} {
		if got := FromHere(&http.Request{RemoteAddr: remote}); got != want {
			t.Errorf("%q: got %v, want %v", remote, got, want)
		}
	}
}

func TestFrontServesAndStops(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := Serve(l, Options{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }),
		Logger:  slog.New(slog.DiscardHandler),
	})
	res, err := http.Get("http://" + f.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || string(body) != "hello" {
		t.Fatalf("got %q, %v, want hello", body, err)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := f.Close(context.Background()); err != nil {
		t.Fatalf("close: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("the port still accepts after Close: %v", err)
	}
}

// Neither a request that does not end nor a connection that asks nothing holds
// up a stop, or makes it fail.
func TestCloseCutsWhatDoesNotEnd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked, over := make(chan struct{}), make(chan struct{})
	f := Serve(l, Options{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(asked)
			<-r.Context().Done()
			close(over)
		}),
		Logger: slog.New(slog.DiscardHandler),
	})
	silent, err := net.Dial("tcp", f.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	answered := make(chan error, 1)
	go func() {
		res, err := http.Get("http://" + f.Addr().String() + "/")
		if err == nil {
			err = res.Body.Close()
		}
		answered <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
	<-over
	if err := <-answered; err == nil {
		t.Error("a request that was cut has an answer")
	}
}
