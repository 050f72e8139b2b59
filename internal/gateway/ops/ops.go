// Package ops is the operator's HTTP door: is it alive (/livez), is it ready
// and if not why (/readyz), its metrics (/metrics, and with a row for each partition and
// group /metrics/detail and /metrics/kafka), its profiles (/debug/pprof/, from
// this machine only).
//
// It holds no truth: what it tells it asks, at each request, from the
// functions it was given.
package ops

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"

	"ottla/internal/gateway/front"
)

// Check is one condition of readiness.
type Check struct {
	Name   string
	OK     bool
	Detail string // why not, or a fact worth showing
}

// Options are what the door asks.
type Options struct {
	Checks  func() []Check
	Metrics http.Handler
	// Pages are more of metrics, by path.
	Pages   map[string]http.Handler
	Version string
	Kafka   func() string // where the Kafka port is, for people who came to the wrong one
}

// Handler makes the door.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "alive\n")
	})
	mux.HandleFunc("GET /readyz", o.ready)
	mux.HandleFunc("GET /healthz", o.ready)
	mux.Handle("GET /metrics", o.Metrics)
	places := []string{"/metrics"}
	for path, page := range o.Pages {
		mux.Handle("GET "+path, page)
		places = append(places, path)
	}
	slices.Sort(places)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, fmt.Sprintf("ottla %s\n\nKafka    %s\nhealth   /livez /readyz\nmetrics  %s\n", o.Version, o.Kafka(), strings.Join(places, " ")))
	})
	mux.Handle("GET /debug/pprof/", local(http.HandlerFunc(pprof.Index)))
	mux.Handle("GET /debug/pprof/profile", local(http.HandlerFunc(pprof.Profile)))
	mux.Handle("GET /debug/pprof/trace", local(http.HandlerFunc(pprof.Trace)))
	mux.Handle("GET /debug/pprof/symbol", local(http.HandlerFunc(pprof.Symbol)))
	return mux
}

// ready answers 200 when every check holds, else 503; the body lists them all.
func (o Options) ready(w http.ResponseWriter, _ *http.Request) {
	code := http.StatusOK
	var b strings.Builder
	for _, c := range o.Checks() {
		word := "ok"
		if !c.OK {
			word, code = "not ready", http.StatusServiceUnavailable
		}
		fmt.Fprintf(&b, "%-9s %s", word, c.Name)
		if c.Detail != "" {
			b.WriteString(": " + c.Detail)
		}
		b.WriteByte('\n')
	}
	plain(w, code, b.String())
}

func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	front.Later(w.Header(), code)
	w.WriteHeader(code)
	fmt.Fprint(w, text)
}

// local lets only callers on this machine through: profiles show memory.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			http.Error(w, "profiles are for callers on this machine", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
