// Package front is the face of the HTTP port: one listener for all HTTP doors,
// with the checks that no door may forget. A web page that somebody has open
// must not be able to speak to Ottla behind his back, so the Host of every
// request has to be an address or a name that this node is known by (which
// stops DNS rebinding), and an Origin has to be this port itself.
//
// It is not for routes: doors bring handlers. Source: OWASP on DNS rebinding
// and cross-site request forgery; Fetch standard, Origin.
package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
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
	done   chan struct{}
	addr   net.Addr
}

// Serve starts serving on l, which it takes over.
func Serve(l net.Listener, o Options) *Front {
	f := &Front{done: make(chan struct{}), addr: l.Addr()}
	f.server = &http.Server{
		Handler:           Guard(o.Handler, o.Names),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(f.done)
		if err := f.server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
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
	err := f.server.Shutdown(ctx)
	if ctx.Err() != nil {
		err = f.server.Close()
	}
	<-f.done
	return err
}

// Guard refuses requests whose Host is not this node's, or whose Origin is
// another site's.
func Guard(next http.Handler, names []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !knownHost(r.Host, names) {
			http.Error(w, fmt.Sprintf("this node is not known as %q: use its address, localhost, or the name it is advertised as", r.Host), http.StatusMisdirectedRequest)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && !sameOrigin(origin, r.Host) {
			http.Error(w, fmt.Sprintf("a page of %s may not speak to this port", origin), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
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
