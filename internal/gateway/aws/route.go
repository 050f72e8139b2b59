package aws

import (
	"mime"
	"net/http"
	"slices"
	"strings"

	"ottla/internal/gateway/aws/protocol"
)

// route is where a request goes.
type route struct {
	service *Service
	form    protocol.Form
	op      protocol.Op
}

// claimed tells what a request is before its body is read.
type claimed struct {
	target    string // of X-Amz-Target, whole; "" for none
	signature *Signature
	query     bool // a call of the query protocol
	rest      *Service
}

// claim tells whether a request is meant for AWS, without reading its body.
func (d *Door) claim(r *http.Request) (claimed, *protocol.Error, bool) {
	var c claimed
	c.target = r.Header.Get("X-Amz-Target")
	sig, err := ReadSignature(r)
	c.signature = sig
	if c.target != "" {
		return c, err, true
	}
	c.query = isQuery(r)
	if sig == nil || d.named(sig.Service) == nil {
		c.rest = d.byPath(r.URL.Path)
	} else if s := d.named(sig.Service); s.REST != nil {
		c.rest = s
	}
	return c, err, sig != nil || err != nil || c.query || c.rest != nil
}

// isQuery tells a call of the query protocol: a form, or an address that names
// an action. Those of queues go to the path of the queue's URL.
func isQuery(r *http.Request) bool {
	if r.URL.Path != "/" && !queuePath(r.URL.Path) {
		return false
	}
	switch r.Method {
	case http.MethodPost:
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		return err == nil && kind == "application/x-www-form-urlencoded"
	case http.MethodGet:
		return strings.HasPrefix(r.URL.RawQuery, "Action=") || strings.Contains(r.URL.RawQuery, "&Action=")
	}
	return false
}

// queuePath tells a path like that of a queue's URL: /ACCOUNT/NAME.
func queuePath(path string) bool {
	account, name, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok || len(account) != 12 || name == "" || strings.Contains(name, "/") {
		return false
	}
	return strings.Trim(account, "0123456789") == ""
}

// formOf is the form in which a request is refused before it is read.
func (d *Door) formOf(cl claimed) protocol.Form {
	switch {
	case cl.target != "":
		to, _ := d.byTarget(cl.target)
		return to.form
	case cl.query:
		return &protocol.Query{}
	}
	return protocol.REST{}
}

// find gives the service, the protocol and the operation of a claimed request.
// Where it cannot, it still gives the form in which to say so.
func (d *Door) find(r *http.Request, cl claimed, c *protocol.Call) (route, *protocol.Error) {
	switch {
	case cl.target != "":
		return d.byTarget(cl.target)
	case cl.rest != nil:
		op, err := cl.rest.REST(r, c)
		return route{cl.rest, protocol.REST{}, op}, err
	case cl.query:
		return d.byAction(r, cl, c)
	}
	return route{form: protocol.REST{}}, d.noService(cl.signature.Service)
}

func (d *Door) byTarget(target string) (route, *protocol.Error) {
	prefix, name, _ := strings.Cut(target, ".")
	for _, s := range d.services {
		if s.Target == "" || s.Target != prefix {
			continue
		}
		op, ok := s.op(name)
		if !ok {
			return route{s, s.JSON, op}, s.unknown(name)
		}
		return route{s, s.JSON, op}, nil
	}
	return route{form: protocol.JSON{Type: "application/x-amz-json-1.1"}}, d.noService(prefix)
}

func (d *Door) byAction(r *http.Request, cl claimed, c *protocol.Call) (route, *protocol.Error) {
	values, err := protocol.ReadQuery(r)
	form := &protocol.Query{Values: values}
	if err != nil {
		return route{form: form}, err
	}
	if c.Caller == "" {
		c.Caller = values.Get("AWSAccessKeyId") // signed as SDKs did before version 4
	}
	name := values.Get("Action")
	s := d.ofQuery(cl, values.Get("Version"), name)
	if s == nil {
		if cl.signature != nil {
			return route{form: form}, d.noService(cl.signature.Service)
		}
		return route{form: form}, &protocol.Error{Shape: "InvalidAction", Message: "no service here has the action " + name + " in version " + values.Get("Version")}
	}
	form.XMLNamespace = s.XMLNamespace
	if name == "" {
		return route{s, form, protocol.Op{}}, &protocol.Error{Shape: "MissingAction", Message: "the request names no Action"}
	}
	op, ok := s.op(name)
	if !ok {
		return route{s, form, op}, s.unknown(name)
	}
	return route{s, form, op}, nil
}

// ofQuery gives the service that a call of the query protocol is for.
func (d *Door) ofQuery(cl claimed, version, action string) *Service {
	if cl.signature != nil {
		if s := d.named(cl.signature.Service); s != nil && len(s.Versions) > 0 {
			return s
		}
		return nil
	}
	for _, s := range d.services {
		if slices.Contains(s.Versions, version) {
			return s
		}
	}
	if version != "" {
		return nil
	}
	for _, s := range d.services {
		if _, ok := s.op(action); ok && len(s.Versions) > 0 {
			return s
		}
	}
	return nil
}

func (d *Door) named(name string) *Service {
	for _, s := range d.services {
		if s.Name == name {
			return s
		}
	}
	return nil
}

func (d *Door) byPath(path string) *Service {
	for _, s := range d.services {
		for _, p := range s.Paths {
			if rest, ok := strings.CutPrefix(path, p); ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(p, "/") || strings.HasSuffix(p, ":")) {
				return s
			}
		}
	}
	return nil
}

// noService is the answer to calls of services that are not served.
func (d *Door) noService(name string) *protocol.Error {
	var have []string
	for _, s := range d.services {
		have = append(have, s.Name)
	}
	called := absent[name]
	if called == "" {
		called = "the service " + name
	}
	e := protocol.Errorf("UnknownOperationException", "%s is not served here; served are %s", called, strings.Join(have, ", "))
	e.Code, e.Status = "InvalidAction", http.StatusNotFound
	return e
}
