package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Bounds of the port: a request line with headers is small, and a client that
// does not finish one holds a connection no longer than this.
const (
	maxHeaderBytes    = 64 << 10
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
)

// Options make a front.
type Options struct {
	Handler http.Handler
	// Names are host names, beside localhost and IP addresses, that requests
	// may use for this node: what it is advertised as.
	Names  []string
	Logger *slog.Logger
}

// Front serves HTTP until Close.
type Front struct {
	server *http.Server
	port   *listener
	lanes  *lanes
	cut    context.CancelFunc // of polls that are served
	done   chan struct{}
	addr   net.Addr
}

// Serve starts serving on l, which it takes over.
func Serve(l net.Listener, o Options) *Front {
	f := &Front{done: make(chan struct{}), addr: l.Addr()}
	f.port = listen(l)
	f.lanes = &lanes{give: f.port.give, lane: map[string]*lane{}}
	f.lanes.ctx, f.cut = context.WithCancel(context.Background())
	f.server = &http.Server{
		BaseContext:       func(net.Listener) context.Context { return context.WithValue(context.Background(), frontKey{}, f) },
		Handler:           Guard(o.Handler, o.Names),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(f.done)
		if err := f.server.Serve(f.port); err != nil && !errors.Is(err, http.ErrServerClosed) {
			o.Logger.Error("the HTTP port stopped", "addr", l.Addr().String(), "err", err)
		}
	}()
	return f
}

// Addr is where it listens.
func (f *Front) Addr() net.Addr { return f.addr }

// Close stops accepting, lets requests finish until ctx ends, cuts those that
// have not, and waits. What clients do is no error.
func (f *Front) Close(ctx context.Context) error {
	f.lanes.close(f.cut)
	f.port.drop()
	err := f.server.Shutdown(ctx)
	if ctx.Err() != nil {
		err = f.server.Close()
	}
	<-f.done
	return err
}

// Ending is done when the port of a request closes: what has no end by itself ends
// then. It is nil, and never done, where the request came in another way.
func Ending(r *http.Request) <-chan struct{} {
	if f, ok := r.Context().Value(frontKey{}).(*Front); ok {
		return f.lanes.ctx.Done()
	}
	return nil
}

// nosniff is the same for all answers.
var nosniff = []string{"nosniff"}

// Guard refuses requests whose Host is not this node's, or whose Origin is
// another site's.
func Guard(next http.Handler, names []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Content-Type-Options"] = nosniff
		if !knownHost(r.Host, names) {
			http.Error(w, fmt.Sprintf("this node is not known as %q: use its address, localhost, or the name it is advertised as", r.Host), http.StatusMisdirectedRequest)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && !sameOrigin(origin, r.Host) {
			http.Error(w, fmt.Sprintf("a page of %s may not speak to this port", origin), http.StatusForbidden)
			return
		}
		if FromPage(r) && !followed(r) {
			http.Error(w, "a page of another site may not speak to this port", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// FromPage tells whether a browser says that a page of another origin is behind
// the request, be it a link that somebody followed. Other clients say nothing.
func FromPage(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site != "" && site != "same-origin" && site != "none"
}

// followed tells a link that somebody followed to a page of ours.
func followed(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// FromHere tells whether the caller's connection comes from this machine.
func FromHere(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback()
}

func knownHost(host string, names []string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if net.ParseIP(host) != nil || strings.EqualFold(host, "localhost") {
		return true
	}
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, host) })
}

func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
