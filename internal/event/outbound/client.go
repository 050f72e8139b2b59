package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Bounds of a call.
const (
	DefaultTimeout  = 15 * time.Second
	mostAnswer      = 64 << 10 // of a body
	mostHeaders     = 64 << 10
	dialTimeout     = 5 * time.Second
	greetTimeout    = 10 * time.Second // of TLS's handshake
	idlePerHost     = 10               // as many as one target is called at once by itself
	idleConnections = 256
	idleTimeout     = 30 * time.Second
)

// Options make a Client.
type Options struct {
	Guard *Guard
	// Timeout is for a whole call; 0 is DefaultTimeout.
	Timeout time.Duration
	// Resolver finds addresses of names; nil is the machine's.
	Resolver *net.Resolver
	// TLS is the trust of https; nil is the machine's.
	TLS *tls.Config
	// Agent is the User-Agent of requests that name none.
	Agent string
}

// Client calls addresses. What http.Client adds to a transport (cookies, redirects, a
// copy of the headers for these) it has no use for.
type Client struct {
	o    Options
	http *http.Transport
}

// New makes a client; Close gives its connections up.
func New(o Options) *Client {
	if o.Guard == nil {
		o.Guard = &Guard{}
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	c := &Client{o: o}
	trust := o.TLS.Clone()
	if trust == nil {
		trust = &tls.Config{}
	}
	trust.MinVersion = max(trust.MinVersion, tls.VersionTLS12)
	c.http = &http.Transport{
		Proxy:                  nil, // of the environment: it would be what is dialled
		DialContext:            c.dial(true),
		DialTLSContext:         c.dialTLS(trust),
		DisableCompression:     true,
		MaxIdleConns:           idleConnections,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: mostHeaders,
		ExpectContinueTimeout:  time.Second,
	}
	return c
}

// Close gives idle connections up.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// dial opens a connection to host:port of a URL, to an address that the guard
// lets pass: it is asked at each, when it is about to be connected to.
func (c *Client) dial(plain bool) func(ctx context.Context, network, hostport string) (net.Conn, error) {
	return func(ctx context.Context, network, hostport string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(hostport)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrForbidden, err)
		}
		d := net.Dialer{
			Timeout: dialTimeout, Resolver: c.o.Resolver,
			Control: func(_, address string, _ syscall.RawConn) error {
				to, err := netip.ParseAddrPort(address)
				if err != nil {
					return fmt.Errorf("%w: %s: %w", ErrForbidden, address, err)
				}
				return c.o.Guard.check(host, to, plain)
			},
		}
		return d.DialContext(ctx, "tcp", hostport)
	}
}

// dialTLS is dial for https. The transport dials without the time of the call that
// asked for it, so that the connection may serve another: it has a time of its own.
func (c *Client) dialTLS(trust *tls.Config) func(ctx context.Context, network, hostport string) (net.Conn, error) {
	dial := c.dial(false)
	return func(ctx context.Context, network, hostport string) (net.Conn, error) {
		raw, err := dial(ctx, network, hostport)
		if err != nil {
			return nil, err
		}
		own := trust.Clone()
		if own.ServerName == "" {
			own.ServerName, _, _ = net.SplitHostPort(hostport) // dial has split it
		}
		ctx, cancel := context.WithTimeout(ctx, min(greetTimeout, c.o.Timeout))
		defer cancel()
		conn := tls.Client(raw, own)
		if err := conn.HandshakeContext(ctx); err != nil {
			_ = raw.Close() // the handshake's error says more
			return nil, err
		}
		return conn, nil
	}
}

// Request is a call to be made.
type Request struct {
	Method string
	URL    string
	// Header may name Host; what the transport sets itself is ignored.
	Header map[string]string
	Body   []byte
	// Timeout is for this call; 0 is the client's.
	Timeout time.Duration
}

// Do makes a call. What went wrong is told in the Answer; Do does not panic and
// returns within the client's time.
func (c *Client) Do(ctx context.Context, r Request) Answer {
	u, err := c.o.Guard.CheckURL(r.URL)
	if err != nil {
		return Answer{Err: err}
	}
	timeout := r.Timeout
	if timeout == 0 {
		timeout = c.o.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, "", bytes.NewReader(r.Body)) // the address is read already
	if err != nil {
		return Answer{Err: fmt.Errorf("%w: %w", ErrForbidden, err)}
	}
	u.Host = strings.TrimSuffix(u.Host, ":") // a port that is empty
	req.URL, req.Host = u, u.Host
	req.Header = make(http.Header, len(r.Header)+1)
	values := make([]string, 0, len(r.Header)+1) // of all headers, one each
	set := func(k, v string) {
		values = append(values, v)
		req.Header[k] = values[len(values)-1 : len(values) : len(values)]
	}
	for k, v := range r.Header {
		if strings.ContainsFunc(v, inNoHeader) {
			return Answer{Err: fmt.Errorf("%w: the header %s would have line breaks or other control characters", ErrForbidden, k)}
		}
		if k = http.CanonicalHeaderKey(k); k == "Host" {
			req.Host = v
			continue
		}
		set(k, v)
	}
	if req.Header.Get("User-Agent") == "" {
		set("User-Agent", c.o.Agent)
	}
	resp, err := c.http.RoundTrip(req)
	if err != nil {
		return Answer{Err: plainly(err)}
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return Answer{Status: resp.StatusCode, Header: resp.Header} // whose body is the connection itself, without an end
	}
	if resp.ContentLength == 0 {
		return Answer{Status: resp.StatusCode, Header: resp.Header}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	a := Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
	if err != nil && a.Judge() != Delivered {
		a.Err = plainly(err) // a delivery that was taken is one, however its answer ends
	}
	return a
}

// inNoHeader tells characters that no header may have (RFC 9110, 5.5): they come again
// however often it is tried.
func inNoHeader(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }

// plainly says in words what some errors of the transport mean.
func plainly(err error) error {
	var late net.Error
	var noTLS tls.RecordHeaderError
	switch {
	case errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("no answer in time: %w", err)
	case errors.As(err, &noTLS) && string(noTLS.RecordHeader[:]) == "HTTP/":
		return fmt.Errorf("it answers https with plain http: %w", err)
	}
	return err
}
