package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ErrForbidden is what the guard says; trying again is no use before somebody
// allows it.
var ErrForbidden = errors.New("the address may not be called")

// Guard tells which addresses may be called. The zero value allows the public
// Internet over https alone.
type Guard struct {
	loopback bool
	own      func() []netip.AddrPort
	allowed  []rule
}

// rule is one word of --allow-targets.
type rule struct {
	host   string // lower case, "" where there is a network
	prefix netip.Prefix
	port   uint16 // 0 for all
	plain  bool   // over http, too
}

// GuardOptions make a Guard.
type GuardOptions struct {
	// Allow are words of --allow-targets: HOST, an address or a network, with
	// :PORT or without, and with http:// in front where plain http may be spoken.
	Allow []string
	// Loopback allows loopback, and plain http to it.
	Loopback bool
	// Own are the ports that this node listens on; an unspecified address is
	// every address of the machine. nil for none.
	Own func() []netip.AddrPort
}

// NewGuard makes a guard; an error names the word that means nothing.
func NewGuard(o GuardOptions) (*Guard, error) {
	g := &Guard{loopback: o.Loopback, own: o.Own}
	for _, word := range o.Allow {
		r, err := parseRule(strings.TrimSpace(word))
		if err != nil {
			return nil, fmt.Errorf("%q is no target: %w", word, err)
		}
		g.allowed = append(g.allowed, r)
	}
	return g, nil
}

func parseRule(word string) (rule, error) {
	var r rule
	if rest, ok := strings.CutPrefix(word, "http://"); ok {
		word, r.plain = rest, true
	}
	word = strings.TrimSuffix(strings.TrimPrefix(word, "https://"), "/")
	if p, err := netip.ParsePrefix(word); err == nil {
		r.prefix = p.Masked()
		return r, nil
	}
	host, port, err := net.SplitHostPort(word)
	if err != nil {
		host, port = word, ""
		if inner, ok := strings.CutPrefix(word, "["); ok && strings.HasSuffix(inner, "]") {
			host = strings.TrimSuffix(inner, "]")
		}
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return r, errors.New("its port is no number from 1 to 65535")
		}
		r.port = uint16(n)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		r.prefix = netip.PrefixFrom(a, a.BitLen())
		return r, nil
	}
	r.host = strings.ToLower(strings.TrimSuffix(host, "."))
	if r.host == "" || strings.ContainsAny(r.host, "/@?# *[]:") {
		return r, errors.New("want HOST, an address or a network like 10.1.0.0/16, with :PORT or without, http:// before it for plain http")
	}
	return r, nil
}

// CheckURL refuses what would never be called, before anything is resolved.
func (g *Guard) CheckURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrForbidden, err)
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, fmt.Errorf("%w: it must be https://HOST/…", ErrForbidden)
	case u.User != nil:
		return nil, fmt.Errorf("%w: it must not have a user in it", ErrForbidden)
	}
	return u, nil
}

// check tells whether a URL's host and port, which were resolved to an address,
// may be called.
func (g *Guard) check(host string, to netip.AddrPort, plain bool) error {
	addr := to.Addr().Unmap()
	for _, r := range g.allowed {
		if r.covers(host, addr, to.Port()) && (r.plain || !plain) {
			return nil
		}
	}
	if g.loopback && addr.IsLoopback() {
		return nil
	}
	if plain {
		return fmt.Errorf("%w: plain http is for what --allow-targets names with http://; %s is not among it", ErrForbidden, host)
	}
	if internal(to.Addr()) {
		return fmt.Errorf("%w: %s is %s, an internal address; --allow-targets can allow it", ErrForbidden, host, addr)
	}
	if g.isOwn(to) {
		return fmt.Errorf("%w: %s is this node itself; --allow-targets can allow it", ErrForbidden, host)
	}
	return nil
}

func (r rule) covers(host string, addr netip.Addr, port uint16) bool {
	if r.port != 0 && r.port != port {
		return false
	}
	if r.host != "" {
		return r.host == strings.ToLower(strings.TrimSuffix(host, "."))
	}
	return r.prefix.Contains(addr)
}

// isOwn tells a port of this node.
func (g *Guard) isOwn(to netip.AddrPort) bool {
	if g.own == nil {
		return false
	}
	return slices.ContainsFunc(g.own(), func(o netip.AddrPort) bool {
		if o.Port() != to.Port() {
			return false
		}
		return o.Addr().Unmap() == to.Addr().Unmap() || o.Addr().IsUnspecified() && machineHas(to.Addr().Unmap())
	})
}

// machineHas tells an address of this machine. If they cannot be told it is one:
// what is not known is not called.
func machineHas(a netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(all, func(i net.Addr) bool {
		n, ok := i.(*net.IPNet)
		if !ok {
			return false
		}
		has, ok := netip.AddrFromSlice(n.IP)
		return ok && has.Unmap() == a
	})
}
