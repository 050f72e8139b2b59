package aws

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/protocol"
	"ottla/internal/gateway/front"
	"ottla/internal/uuid"
)

// Options make a door.
type Options struct {
	Services []*Service
	// Region is that of unsigned calls, Account everybody's; "" for the
	// defaults.
	Region, Account string
	// Trusted takes calls from other machines too, although nobody verifies who
	// makes them.
	Trusted bool
	Logger  *slog.Logger
	// Next gets the requests that are not AWS's.
	Next http.Handler
}

// Door answers AWS's calls and hands other requests on. It is safe for
// concurrent use.
type Door struct {
	o        Options
	services []*Service
}

// New makes a door.
func New(o Options) *Door {
	if o.Region == "" {
		o.Region = name.DefaultRegion
	}
	if o.Account == "" {
		o.Account = name.DefaultAccount
	}
	return &Door{o: o, services: o.Services}
}

// Services are those behind the door, for the documentation.
func (d *Door) Services() []*Service { return d.services }

// ServeHTTP answers AWS's calls and hands other requests on.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cl, bad, ok := d.claim(r)
	if !ok {
		d.o.Next.ServeHTTP(w, r)
		return
	}
	c := d.call(r, cl.signature)
	if bad == nil && !d.o.Trusted && !front.FromHere(r) {
		bad = &protocol.Error{Shape: "AccessDeniedException", Code: "AccessDenied", Status: http.StatusForbidden,
			Message: "there are no users yet who could sign: calls are taken from this machine, and from others when the node runs with --insecure"}
	}
	if bad == nil && front.FromPage(r) {
		bad = &protocol.Error{Shape: "AccessDeniedException", Code: "AccessDenied", Status: http.StatusForbidden,
			Message: "a page of another site may not make calls"}
	}
	if bad != nil {
		d.formOf(cl).Refuse(w, c, bad)
		return
	}
	to, bad := d.find(r, cl, c)
	if bad != nil {
		to.form.Refuse(w, c, bad)
		return
	}
	service, op := to.service.Name, to.op.Name
	c.Failed = func(e *protocol.Error) {
		if e.HTTPStatus() >= 500 {
			d.o.Logger.Error("an AWS call failed", "service", service, "op", op, "request", c.ID, "err", e)
		}
	}
	if e := to.form.Serve(w, r, c, to.op); e != nil {
		c.Failed(e)
	}
}

// call is what operations are told of a request.
func (d *Door) call(r *http.Request, s *Signature) *protocol.Call {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	c := &protocol.Call{ID: newRequestID(), Region: d.o.Region, Account: d.o.Account, Base: scheme + "://" + r.Host, Path: r.URL.Path}
	if s != nil {
		c.Caller = strings.Clone(s.AccessKey) // or a call that waits would hold the whole header
		if s.Region != "" && s.Region != c.Region {
			c.Region = strings.Clone(s.Region)
		}
	}
	if r.URL.RawQuery != "" {
		c.Query = r.URL.Query()
	}
	return c
}

// newRequestID makes a request id in the form of AWS's.
func newRequestID() string {
	var raw uuid.UUID
	_, _ = rand.Read(raw[:]) // never fails: it ends the process where there is no randomness
	return raw.Standard()
}
