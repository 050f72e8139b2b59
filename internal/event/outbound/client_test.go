package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// server answers on loopback and counts who connects.
func server(t testing.TB, h http.HandlerFunc) (address string, connects *atomic.Int64) {
	t.Helper()
	connects = new(atomic.Int64)
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			connects.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL, connects
}

func client(t testing.TB, o Options) *Client {
	t.Helper()
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

// names is a resolver that knows every name by the addresses given, one for each
// question in turn.
func names(addresses ...string) *net.Resolver {
	var asked atomic.Int64
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			for {
				var size [2]byte
				if _, err := io.ReadFull(theirs, size[:]); err != nil {
					return
				}
				q := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(theirs, q); err != nil {
					return
				}
				a := resolve(q, addresses, &asked)
				if _, err := theirs.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...)); err != nil {
					return
				}
			}
		}()
		return ours, nil
	}}
}

// resolve answers a question of DNS (RFC 1035) for IPv4; there is no IPv6.
func resolve(q []byte, addresses []string, asked *atomic.Int64) []byte {
	end := 12
	for q[end] != 0 {
		end += 1 + int(q[end])
	}
	kind := binary.BigEndian.Uint16(q[end+1:])
	end += 5
	a := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end]...)
	if kind != 1 {
		return a
	}
	n := int(asked.Add(1)) - 1
	ip := netip.MustParseAddr(addresses[min(n, len(addresses)-1)]).As4()
	a[7] = 1
	return append(append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), ip[:]...)
}

func TestNoWayLeadsToAnInternalServer(t *testing.T) {
	address, connects := server(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") })
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port := u.Port()
	c := client(t, Options{Resolver: names("127.0.0.1"), Guard: guard(t, GuardOptions{Allow: []string{"http://hooks.example", "10.0.0.0/8"}})})
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.0.0.1.",
		"[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "LOCALHOST",
		"rebound.example", "127.0.0.1.nip.example", "①②⑦.⓪.⓪.①", "hooks.example.evil.example",
	} {
		for _, scheme := range []string{"http", "https"} {
			a := c.Do(context.Background(), Request{Method: "POST", URL: scheme + "://" + host + ":" + port + "/"})
			if a.Err == nil || a.Judge() == Delivered {
				t.Errorf("%s://%s: answered %d", scheme, host, a.Status)
			}
		}
	}
	if n := connects.Load(); n != 0 {
		t.Errorf("%d connections reached the server", n)
	}
}

// The second look at a name finds another address: what counts is where the call
// goes.
func TestANameThatTurnsInwardIsNotFollowed(t *testing.T) {
	address, connects := server(t, func(http.ResponseWriter, *http.Request) {})
	c := client(t, Options{Resolver: names("8.8.8.8", "127.0.0.1"), Timeout: time.Minute})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.o.Resolver.LookupHost(context.Background(), "rebound.example"); err != nil { // somebody has checked it
		t.Fatal(err)
	}
	a := c.Do(context.Background(), Request{Method: "POST", URL: "https://rebound.example:" + u.Port() + "/"})
	if !errors.Is(a.Err, ErrForbidden) || a.Judge() != Refused || connects.Load() != 0 {
		t.Errorf("%v, judged %d, %d connections", a.Err, a.Judge(), connects.Load())
	}
}

func TestRedirectsAreAnswers(t *testing.T) {
	inner, reached := server(t, func(http.ResponseWriter, *http.Request) {})
	outer, _ := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner, http.StatusFound) })
	c := client(t, Options{Guard: guard(t, GuardOptions{Loopback: true})})
	a := c.Do(context.Background(), Request{Method: "POST", URL: outer})
	if a.Status != http.StatusFound || a.Judge() != Again || !strings.Contains(a.Why(), "redirects are not followed") || reached.Load() != 0 {
		t.Errorf("%+v, judged %d: %s; %d connections to where it points", a.Status, a.Judge(), a.Why(), reached.Load())
	}
	lost, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://[nowhere")
		w.WriteHeader(http.StatusFound)
	})
	if a := c.Do(context.Background(), Request{Method: "POST", URL: lost}); a.Status != http.StatusFound || a.Err != nil {
		t.Errorf("of one that points nowhere: %d, %v", a.Status, a.Err)
	}
}

func TestACallBringsWhatItIsGiven(t *testing.T) {
	type seen struct{ method, path, host, kind, agent, body string }
	got := make(chan seen, 1)
	address, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- seen{r.Method, r.URL.RequestURI(), r.Host, r.Header.Get("Content-Type"), r.UserAgent(), string(body)}
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, "taken")
	})
	c := client(t, Options{Guard: guard(t, GuardOptions{Loopback: true}), Agent: "ottla/test"})
	a := c.Do(context.Background(), Request{
		Method: "PUT", URL: address + "/a%2Fb?c=d", Body: []byte("hello"), Header: map[string]string{"content-type": "text/x", "host": "named.example"},
	})
	if want := (seen{"PUT", "/a%2Fb?c=d", "named.example", "text/x", "ottla/test", "hello"}); <-got != want {
		t.Errorf("not %+v", want)
	}
	if a.Err != nil || a.Status != http.StatusAccepted || string(a.Body) != "taken" || a.Header.Get("X-Answer") != "yes" || a.Judge() != Delivered {
		t.Errorf("got %+v", a)
	}
}

func TestHTTPSIsCheckedAgainstTheTrust(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	g := guard(t, GuardOptions{Loopback: true})
	if a := client(t, Options{Guard: g, TLS: &tls.Config{RootCAs: pool}}).Do(context.Background(), Request{Method: "POST", URL: s.URL}); a.Judge() != Delivered {
		t.Errorf("trusted: %v, %d", a.Err, a.Status)
	}
	if a := client(t, Options{Guard: g}).Do(context.Background(), Request{Method: "POST", URL: s.URL}); a.Err == nil {
		t.Error("a certificate that nobody knows was trusted")
	}
	old := &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}
	if a := client(t, Options{Guard: g, TLS: old}).Do(context.Background(), Request{Method: "POST", URL: s.URL}); a.Err == nil {
		t.Error("TLS 1.1 was spoken")
	}
}

func TestAnswersAreBounded(t *testing.T) {
	address, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/body":
			for range 1 << 10 {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		case "/headers":
			for i := range 200 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("a", 1000))
			}
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, "not unpacked")
		}
	})
	c := client(t, Options{Guard: guard(t, GuardOptions{Loopback: true})})
	if a := c.Do(context.Background(), Request{Method: "GET", URL: address + "/body"}); a.Err != nil || len(a.Body) != mostAnswer || a.Judge() != Delivered {
		t.Errorf("a long body: %d bytes, %v", len(a.Body), a.Err)
	}
	if a := c.Do(context.Background(), Request{Method: "GET", URL: address + "/headers"}); a.Err == nil {
		t.Error("long headers were read")
	}
	if a := c.Do(context.Background(), Request{Method: "GET", URL: address + "/packed"}); string(a.Body) != "not unpacked" {
		t.Errorf("got %q, %v", a.Body, a.Err)
	}
}

func TestACallEndsInTime(t *testing.T) {
	stop := make(chan struct{})
	address, _ := server(t, func(http.ResponseWriter, *http.Request) { <-stop })
	defer close(stop)
	c := client(t, Options{Guard: guard(t, GuardOptions{Loopback: true}), Timeout: 20 * time.Millisecond})
	a := c.Do(context.Background(), Request{Method: "POST", URL: address + "/?secret=1"})
	if a.Judge() != Again || !strings.Contains(a.Why(), "no answer in time") || strings.Contains(a.Why(), "secret") {
		t.Errorf("got %v", a.Err)
	}
}

// silent is a server that takes one connection, says something, and then nothing; over
// is what comes of reading from it until it ends.
func silent(t *testing.T, says string) (l net.Listener, over <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	end := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			end <- err
			return
		}
		defer c.Close()
		err = c.SetDeadline(time.Now().Add(time.Minute))
		if err == nil {
			_, err = io.WriteString(c, says)
		}
		if err == nil {
			_, err = io.Copy(io.Discard, c)
		}
		end <- err
	}()
	return l, end
}

// A connection that is never greeted, and one that an answer takes over, are given up.
func TestNoConnectionIsHeldBySilence(t *testing.T) {
	allow := guard(t, GuardOptions{Loopback: true})
	for scheme, says := range map[string]string{
		"https": "", "http": "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
	} {
		l, over := silent(t, says)
		c := client(t, Options{Guard: allow, Timeout: 2 * time.Second})
		a := c.Do(t.Context(), Request{Method: "GET", URL: scheme + "://" + l.Addr().String()})
		_ = l.Close() // of a call that came to no connection none is held
		if a.Judge() != Again {
			t.Errorf("%s: %+v", scheme, a)
		}
		if err := <-over; errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection did not end: %v", scheme, err)
		}
	}
}

func TestTheEnvironmentsProxyIsNotAsked(t *testing.T) {
	proxy, asked := server(t, func(http.ResponseWriter, *http.Request) {})
	for _, v := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(v, proxy)
	}
	c := client(t, Options{Guard: guard(t, GuardOptions{Allow: []string{"http://hooks.example"}}), Resolver: names("127.0.0.2"), Timeout: time.Minute})
	if a := c.Do(context.Background(), Request{Method: "POST", URL: "http://hooks.example:1/"}); a.Err == nil || asked.Load() != 0 {
		t.Errorf("%v; the proxy was asked %d times", a.Err, asked.Load())
	}
}

func TestRequestsThatCannotBeMade(t *testing.T) {
	c := client(t, Options{})
	for _, r := range []Request{{Method: "PO ST", URL: "https://example.org"}, {Method: "POST", URL: "ftp://example.org"},
		{Method: "POST", URL: "https://example.org", Header: map[string]string{"X-Note": "a\nb"}}} {
		if a := c.Do(context.Background(), r); a.Judge() != Refused {
			t.Errorf("%+v: %v", r, a.Err)
		}
	}
}

func TestWhatAnswersMean(t *testing.T) {
	for status, want := range map[int]Verdict{
		200: Delivered, 201: Delivered, 202: Delivered, 204: Delivered, 299: Delivered, 301: Again, 308: Again, 400: Refused, 401: Refused, 403: Refused,
		404: Again, 408: Again, 409: Again, 410: Refused, 413: Refused, 425: Again, 429: Again, 500: Again, 502: Again, 503: Again, 504: Again,
	} {
		if got := (Answer{Status: status}).Judge(); got != want {
			t.Errorf("%d: %d, want %d", status, got, want)
		}
	}
	if got := (Answer{Status: 404, Body: []byte("  no\x00pe\nmore")}).Why(); got != "HTTP 404 Not Found: nope" {
		t.Errorf("got %q", got)
	}
}

func TestHowLongAnAddressWantsToBeLeftAlone(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		status int
		header string
		want   time.Duration
	}{
		{429, "30", 30 * time.Second}, {503, "120", 2 * time.Minute}, {503, "Thu, 26 Nov 2026 12:05:00 GMT", 5 * time.Minute},
		{503, "Thu, 26 Nov 2026 11:00:00 GMT", 0}, {503, "999999", time.Hour}, {503, "-5", 0}, {503, "soon", 0}, {503, "", 0}, {500, "30", 0},
	} {
		a := Answer{Status: c.status, Header: http.Header{"Retry-After": {c.header}}}
		if got := a.RetryAfter(now); got != c.want {
			t.Errorf("%d, %q: %v, want %v", c.status, c.header, got, c.want)
		}
	}
}
