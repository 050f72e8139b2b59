package outbound

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func guard(t testing.TB, o GuardOptions) *Guard {
	t.Helper()
	g, err := NewGuard(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// inside are addresses that a user must not reach through a node.
var inside = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.0.1", "169.254.169.254", "169.254.0.1",
	"172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7",
	"224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
	"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
	"100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
	"3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
}

// outside are addresses of the public Internet.
var outside = []string{
	"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.0.0.1", "128.0.0.1", "169.253.0.1", "172.15.0.1", "172.32.0.1",
	"192.0.1.1", "192.167.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "::ffff:8.8.8.8",
}

func TestInternalAddressesAreNotCalled(t *testing.T) {
	g := guard(t, GuardOptions{})
	for _, a := range inside {
		if err := g.check("example.org", netip.AddrPortFrom(netip.MustParseAddr(a), 443), false); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s may be called: %v", a, err)
		}
	}
	for _, a := range outside {
		if err := g.check("example.org", netip.AddrPortFrom(netip.MustParseAddr(a), 443), false); err != nil {
			t.Errorf("%s may not be called: %v", a, err)
		}
	}
}

func TestPlainHTTPNeedsLeave(t *testing.T) {
	g := guard(t, GuardOptions{})
	if err := g.check("example.org", netip.MustParseAddrPort("8.8.8.8:80"), true); !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), "http://") {
		t.Errorf("got %v", err)
	}
}

func TestWhatTargetsAllow(t *testing.T) {
	for _, c := range []struct {
		allow, host, to string
		plain, good     bool
	}{
		{"hooks.internal", "hooks.internal", "10.1.2.3:443", false, true},
		{"hooks.internal", "HOOKS.internal.", "10.1.2.3:443", false, true},
		{"hooks.internal", "hooks.internal", "10.1.2.3:80", true, false},
		{"hooks.internal", "other.internal", "10.1.2.3:443", false, false},
		{"http://hooks.internal", "hooks.internal", "10.1.2.3:80", true, true},
		{"http://hooks.internal:8080", "hooks.internal", "10.1.2.3:8080", true, true},
		{"http://hooks.internal:8080", "hooks.internal", "10.1.2.3:80", true, false},
		{"https://hooks.internal/", "hooks.internal", "10.1.2.3:443", false, true},
		{"10.1.0.0/16", "a", "10.1.2.3:443", false, true},
		{"10.1.0.0/16", "a", "10.2.2.3:443", false, false},
		{"10.1.0.0/16", "a", "[::ffff:10.1.2.3]:443", false, true},
		{"http://10.1.0.0/16", "a", "10.1.2.3:80", true, true},
		{"10.1.2.3", "a", "10.1.2.3:9", false, true},
		{"10.1.2.3:443", "a", "10.1.2.3:9", false, false},
		{"[fd00::1]:443", "a", "[fd00::1]:443", false, true},
		{"fd00::1", "a", "[fd00::1]:443", false, true},
		{"fd00::/8", "a", "[fd12::1]:443", false, true},
		{"127.0.0.1", "a", "127.0.0.2:443", false, false},
	} {
		err := guard(t, GuardOptions{Allow: []string{c.allow}}).check(c.host, netip.MustParseAddrPort(c.to), c.plain)
		if (err == nil) != c.good {
			t.Errorf("allowed %s: %s at %s, plain %t: %v", c.allow, c.host, c.to, c.plain, err)
		}
	}
}

func TestLoopbackIsAllowedByOneWord(t *testing.T) {
	g := guard(t, GuardOptions{Loopback: true})
	for to, good := range map[string]bool{"127.0.0.1:80": true, "[::1]:8080": true, "10.0.0.1:80": false, "8.8.8.8:80": false} {
		if err := g.check("h", netip.MustParseAddrPort(to), true); (err == nil) != good {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestANodeDoesNotCallItself(t *testing.T) {
	own := func() []netip.AddrPort {
		return []netip.AddrPort{netip.MustParseAddrPort("8.8.8.8:9092"), netip.MustParseAddrPort("[::]:8080")}
	}
	g := guard(t, GuardOptions{Own: own})
	for to, good := range map[string]bool{"8.8.8.8:9092": false, "[::ffff:8.8.8.8]:9092": false, "8.8.8.8:443": true, "8.8.8.8:8080": true} {
		if err := g.check("h", netip.MustParseAddrPort(to), false); (err == nil) != good {
			t.Errorf("%s: %v", to, err)
		}
	}
	if !machineHas(netip.MustParseAddr("127.0.0.1")) {
		t.Error("the machine does not know its loopback")
	}
	allowed := guard(t, GuardOptions{Own: own, Allow: []string{"8.8.8.8"}})
	if err := allowed.check("h", netip.MustParseAddrPort("8.8.8.8:9092"), false); err != nil {
		t.Errorf("what is allowed by name: %v", err)
	}
}

func TestWordsThatMeanNoTarget(t *testing.T) {
	for _, word := range []string{"", "http://", "a/b", "host:0", "host:70000", "host:x", "user@host", "*.internal", "a b", "[::1"} {
		if _, err := NewGuard(GuardOptions{Allow: []string{word}}); err == nil || !strings.Contains(err.Error(), "is no target") {
			t.Errorf("%q: %v", word, err)
		}
	}
}

func TestURLsThatAreNeverCalled(t *testing.T) {
	g := guard(t, GuardOptions{Loopback: true, Allow: []string{"example.org"}})
	for _, u := range []string{"", "example.org", "ftp://example.org", "file:///etc/passwd", "https://", "https:///x", "https://u:p@example.org/", "gopher://x", "https://exa mple.org", "javascript:1"} {
		if _, err := g.CheckURL(u); !errors.Is(err, ErrForbidden) {
			t.Errorf("%q: %v", u, err)
		}
	}
}

func FuzzGuard(f *testing.F) {
	for _, a := range append(inside[:10:10], outside[:10]...) {
		f.Add("https://"+a+"/", "10.0.0.0/8")
	}
	f.Add("http://[::ffff:127.0.0.1]:80/", "http://localhost:80")
	f.Fuzz(func(t *testing.T, address, allow string) {
		g, err := NewGuard(GuardOptions{Allow: []string{allow}})
		if err != nil {
			g = &Guard{}
		}
		u, err := g.CheckURL(address)
		if err != nil {
			return
		}
		a, err := netip.ParseAddr(u.Hostname())
		if err != nil {
			return
		}
		if err := (&Guard{}).check(u.Hostname(), netip.AddrPortFrom(a, 443), false); err == nil && (a.Unmap().IsPrivate() || a.Unmap().IsLoopback() || a.Unmap().IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified()) {
			t.Errorf("%s may be called", a)
		}
	})
}
