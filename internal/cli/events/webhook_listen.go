package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/event/webhook"
)

const (
	// mostCall bounds the body of a call that is shown.
	mostCall = 8 << 20
	// listenClose is how long calls may take to end when listening ends.
	listenClose = 5 * time.Second
)

type listenFlags struct {
	port    int
	secrets []string
	status  []int
	delay   time.Duration
	count   int
}

func webhookListen(o *ask.Options) *cobra.Command {
	var f listenFlags
	c := &cobra.Command{
		Use:   "listen",
		Short: "Receive calls on this machine, show them, and verify their signatures",
		Long: "Receive calls at 127.0.0.1 and show them, until Ctrl-C or -n calls. With --secret (whsec_…, or\n" +
			"whpk_… of a pair; may be repeated) signatures of Standard Webhooks are verified. --status is\n" +
			"what is answered: 500,500,200 answers so in turn, the last from then on. In a pipe, or with\n" +
			"-o ndjson, each call is one line of JSON.",
		Example: "  ottla webhook listen --port 8484 --secret whsec_…\n  ottla webhook listen --status 503,503,200 --delay 2s",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return listen(cmd.Context(), o, &f) },
	}
	g := c.Flags()
	g.IntVar(&f.port, "port", 8484, "port to listen on; 0 takes any that is free")
	g.StringSliceVar(&f.secrets, "secret", nil, "a secret (whsec_…) or public key (whpk_…) that signatures are verified with")
	g.IntSliceVar(&f.status, "status", []int{http.StatusOK}, "HTTP status to answer, or several in turn")
	g.DurationVar(&f.delay, "delay", 0, "how long to wait before the answer")
	g.IntVarP(&f.count, "number", "n", 0, "stop after this many calls (0: no limit)")
	return c
}

// listener shows calls.
type listener struct {
	o    *ask.Options
	f    *listenFlags
	keys []webhook.Key
	over sync.Once
	done chan struct{} // closed (over) when as many came as are wanted, or they cannot be shown

	mu  sync.Mutex // guards what follows, and the output
	n   int
	err error
}

// heard is a call as programs read it.
type heard struct {
	Time     string            `json:"time"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	ID       string            `json:"id,omitempty"`
	Verified *bool             `json:"verified,omitempty"` // where there is a secret
	Problem  string            `json:"problem,omitempty"`
	Status   int               `json:"status"` // that was answered
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body,omitempty"`
	Base64   []byte            `json:"body_base64,omitempty"` // where it is no text
}

// listen receives calls until as many came as are wanted, or the context ends (which is
// no error: Ctrl-C).
func listen(ctx context.Context, o *ask.Options, f *listenFlags) error {
	l := &listener{o: o, f: f, done: make(chan struct{})}
	if len(f.status) == 0 {
		return fail.Usagef("--status takes an HTTP status")
	}
	if err := checkStatuses(f.status); err != nil {
		return err
	}
	for _, text := range f.secrets {
		k, err := webhook.ParseKey(text)
		if err != nil {
			return fail.Usagef("--secret: %v", err)
		}
		l.keys = append(l.keys, k)
	}
	port, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(f.port)))
	if err != nil {
		return fail.New(fail.Failed, "cannot listen", err.Error(), "give another --port, or 0 for any")
	}
	srv := &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	fmt.Fprintf(o.Err, "listening at http://%s/\n", port.Addr())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(port) }()
	select {
	case <-ctx.Done():
	case <-l.done:
	case err := <-served:
		return fail.New(fail.Failed, "cannot listen", err.Error(), "")
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenClose)
	defer cancel()
	if srv.Shutdown(closing) != nil {
		_ = srv.Close() // calls that do not end are cut
	}
	<-served
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// ServeHTTP takes a call.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostCall))
	if err != nil {
		http.Error(w, "the body cannot be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	h := l.read(r, body)
	l.mu.Lock()
	if l.f.count > 0 && l.n >= l.f.count {
		l.mu.Unlock()
		w.WriteHeader(http.StatusServiceUnavailable) // listening ends
		return
	}
	h.Status = l.f.status[min(l.n, len(l.f.status)-1)]
	l.n++
	last := l.n == l.f.count
	if err := l.show(h); err != nil && l.err == nil {
		l.err, last = err, true
	}
	l.mu.Unlock()
	if l.f.delay > 0 {
		select {
		case <-time.After(l.f.delay):
		case <-r.Context().Done():
		}
	}
	w.WriteHeader(h.Status)
	if last {
		l.over.Do(func() { close(l.done) }) // Shutdown waits for this answer
	}
}

// read takes down what came.
func (l *listener) read(r *http.Request, body []byte) *heard {
	h := &heard{Time: time.Now().UTC().Format(time.RFC3339Nano), Method: r.Method, Path: r.URL.RequestURI(), ID: r.Header.Get(webhook.HeaderID), Headers: map[string]string{}}
	for k, v := range r.Header {
		h.Headers[http.CanonicalHeaderKey(k)] = v[0]
	}
	if utf8.Valid(body) {
		h.Body = string(body)
	} else {
		h.Base64 = body
	}
	if len(l.keys) > 0 {
		err := webhook.Verify(l.keys, webhook.Signed{ID: h.ID, Timestamp: r.Header.Get(webhook.HeaderTimestamp), Signature: r.Header.Get(webhook.HeaderSignature)}, body, time.Now().Unix())
		right := err == nil
		if h.Verified = &right; err != nil {
			h.Problem = err.Error()
		}
	}
	return h
}

// show writes a call. mu held.
func (l *listener) show(h *heard) error {
	if l.o.Machine() || l.o.Format == "table" && !ask.Terminal(l.o.Out) {
		return json.NewEncoder(l.o.Out).Encode(h)
	}
	line := fmt.Sprintf("%s %s  answered %d", h.Method, h.Path, h.Status)
	if h.ID != "" {
		line += "  " + h.ID
	}
	if h.Verified != nil {
		var err error
		if !*h.Verified {
			err = errors.New(h.Problem)
		}
		line += "  " + signatureSays(err)
	}
	if _, err := fmt.Fprintln(l.o.Out, line); err != nil {
		return err
	}
	var names []string
	for k := range h.Headers {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		if _, err := fmt.Fprintf(l.o.Out, "  %s: %s\n", k, h.Headers[k]); err != nil {
			return err
		}
	}
	text := h.Body
	if h.Base64 != nil {
		text = fmt.Sprintf("(%d bytes that are no text)", len(h.Base64))
	}
	_, err := fmt.Fprintf(l.o.Out, "%s\n\n", text)
	return err
}
