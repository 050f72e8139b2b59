package connection

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ottla/internal/event/name"
)

// Bounds, EventBridge's.
const (
	mostDescription = 512
	mostParameters  = 100
	mostValue       = 512
	mostURL         = 2048
	mostRate        = 1_000_000
)

// methods of destinations.
var methods = []string{http.MethodPost, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodPatch, http.MethodDelete}

func (s *Spec) check() error {
	if len(s.Description) > mostDescription {
		return invalidf("the description has %d characters; %d are possible", len(s.Description), mostDescription)
	}
	return s.Auth.check()
}

func (a *Auth) check() error {
	switch a.Type {
	case APIKey:
		if err := checkHeader("the name of the API key", a.Name); err != nil {
			return err
		}
		if err := checkValue("the API key", a.Value); err != nil {
			return err
		}
	case Basic:
		if err := checkValue("the user", a.User); err != nil {
			return err
		}
		if strings.Contains(a.User, ":") {
			return invalidf("the user of a connection has no colon in it")
		}
		if err := checkValue("the password", a.Password); err != nil {
			return err
		}
	case OAuth:
		if err := a.OAuth.check(); err != nil {
			return err
		}
	default:
		return invalidf("%q is no type of authorization; %s, %s and %s are", a.Type, APIKey, Basic, OAuth)
	}
	return a.Parameters.check()
}

func (c *Client) check() error {
	if c == nil {
		return invalidf("a connection of %s needs a client and the address that gives tokens", OAuth)
	}
	if err := checkValue("the client's id", c.ID); err != nil {
		return err
	}
	if err := checkValue("the client's secret", c.Secret); err != nil {
		return err
	}
	if err := checkURL("the address that gives tokens", c.Endpoint); err != nil {
		return err
	}
	if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut}, c.Method) {
		return invalidf("tokens are asked for by GET, POST or PUT, not %q", c.Method)
	}
	return c.Parameters.check()
}

func (p *Parameters) check() error {
	if n := len(p.Header) + len(p.Query) + len(p.Body); n > mostParameters {
		return invalidf("%d parameters; %d are possible", n, mostParameters)
	}
	for _, h := range p.Header {
		if err := checkHeader("the name of a header", h.Name); err != nil {
			return err
		}
	}
	for _, list := range [][]Parameter{p.Header, p.Query, p.Body} {
		for _, one := range list {
			if one.Name == "" || len(one.Name) > mostValue || len(one.Value) > mostValue {
				return invalidf("the parameter %q: name and value have up to %d characters, the name one at least", one.Name, mostValue)
			}
			if strings.ContainsAny(one.Value, "\r\n\x00") {
				return invalidf("the value of the parameter %q has a line's end in it", one.Name)
			}
		}
	}
	return nil
}

// checkHeader tells what is wrong with a header's name (RFC 9110, 5.6.2).
func checkHeader(what, s string) error {
	const marks = "!#$%&'*+-.^_`|~"
	bad := strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(marks, r))
	})
	if s == "" || len(s) > mostValue || bad >= 0 {
		return invalidf("%s is %q; letters, digits and %s are possible, up to %d", what, s, marks, mostValue)
	}
	return nil
}

func checkValue(what, s string) error {
	if s == "" || len(s) > mostValue || strings.ContainsAny(s, "\r\n\x00") {
		return invalidf("%s has %d characters; 1 to %d are possible, in one line", what, len(s), mostValue)
	}
	return nil
}

func checkURL(what, s string) error {
	u, err := url.Parse(s)
	if err != nil || len(s) > mostURL || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return invalidf("%s is no https://HOST/… of up to %d characters", what, mostURL)
	}
	return nil
}

func (d *DestinationSpec) check() error {
	if len(d.Description) > mostDescription {
		return invalidf("the description has %d characters; %d are possible", len(d.Description), mostDescription)
	}
	if err := checkURL("the address of an API destination", d.URL); err != nil {
		return err
	}
	if host, _, _ := strings.Cut(strings.SplitN(d.URL, "://", 2)[1], "/"); strings.Contains(host, "*") {
		return invalidf("the host of an API destination has no * in it")
	}
	if !slices.Contains(methods, d.Method) {
		return invalidf("%q is no method of an API destination; %s are", d.Method, strings.Join(methods, ", "))
	}
	if d.Rate < 0 || d.Rate > mostRate {
		return invalidf("an API destination is called 1 to %d times a second, not %d", mostRate, d.Rate)
	}
	if d.Connection.Kind != name.Connection || d.Connection.Name == "" {
		return invalidf("an API destination needs a connection")
	}
	return nil
}
