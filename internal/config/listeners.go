package config

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Listener is one address that clients connect to, or are told to.
type Listener struct {
	Name     string // upper case, as in NAME://host:port
	Host     string // "" for every interface
	Port     int    // 0 picks a free one
	Protocol string // PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL
}

// HostPort joins host and port.
func (l Listener) HostPort() string { return net.JoinHostPort(l.Host, strconv.Itoa(l.Port)) }

// String is the listener as the setting has it: NAME://host:port.
func (l Listener) String() string { return l.Name + "://" + l.HostPort() }

// Listeners reads listeners and advertised.listeners together with the
// security map. Controller listeners are left out: one port serves all. listen
// is nil when none is set. advertised is nil when clients shall be told the
// address that they used themselves.
func (s *Static) Listeners() (listen, advertised []Listener, err error) {
	protocols, err := s.protocols()
	if err != nil {
		return nil, nil, err
	}
	if listen, err = s.listenersOf("listeners", protocols); err != nil {
		return nil, nil, err
	}
	if advertised, err = s.listenersOf("advertised.listeners", protocols); err != nil {
		return nil, nil, err
	}
	for _, a := range advertised {
		at, _ := s.Origin("advertised.listeners")
		if a.Host == "" || a.Host == "0.0.0.0" || a.Host == "::" {
			return nil, nil, &Mistake{At: at, What: fmt.Sprintf("advertised.listeners has %s; clients need an address that they can reach", a)}
		}
		if listen != nil && !hasListener(listen, a.Name) {
			return nil, nil, &Mistake{At: at, What: fmt.Sprintf("advertised.listeners has %s, but listeners has no %s", a, a.Name)}
		}
	}
	return listen, advertised, nil
}

func hasListener(list []Listener, name string) bool {
	for _, l := range list {
		if l.Name == name {
			return true
		}
	}
	return false
}

func (s *Static) listenersOf(setting string, protocols map[string]string) ([]Listener, error) {
	text, ok := s.Get(setting)
	if !ok || text == "" {
		return nil, nil
	}
	at, _ := s.Origin(setting)
	names, _ := s.Get("controller.listener.names")
	controllers := splitList(strings.ToUpper(names))
	var out []Listener
	ports := map[int]string{}
	for _, one := range splitList(text) {
		l, err := parseListener(one)
		if err != nil {
			return nil, &Mistake{At: at, What: fmt.Sprintf("%s has %q: %v; want NAME://HOST:PORT", setting, one, err)}
		}
		if contains(controllers, l.Name) {
			continue
		}
		if hasListener(out, l.Name) {
			return nil, &Mistake{At: at, What: fmt.Sprintf("%s has two listeners named %s", setting, l.Name)}
		}
		if other := ports[l.Port]; other != "" && l.Port != 0 && setting == "listeners" {
			return nil, &Mistake{At: at, What: fmt.Sprintf("%s has port %d twice, for %s and %s", setting, l.Port, other, l.Name)}
		}
		if l.Protocol = protocols[l.Name]; l.Protocol == "" {
			return nil, &Mistake{At: at, What: fmt.Sprintf("%s has %s, but listener.security.protocol.map does not say what %s speaks: add %s:PLAINTEXT", setting, l, l.Name, l.Name)}
		}
		ports[l.Port] = l.Name
		out = append(out, l)
	}
	return out, nil
}

func parseListener(text string) (Listener, error) {
	name, address, ok := strings.Cut(text, "://")
	if !ok || name == "" {
		return Listener{}, errors.New("it has no NAME://")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return Listener{}, fmt.Errorf("%q is no HOST:PORT", address)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return Listener{}, fmt.Errorf("%q is no port", port)
	}
	if strings.ContainsAny(host, " /\t") {
		return Listener{}, fmt.Errorf("%q is no host", host)
	}
	return Listener{Name: strings.ToUpper(name), Host: host, Port: int(n)}, nil
}

// protocols reads listener.security.protocol.map.
func (s *Static) protocols() (map[string]string, error) {
	const setting = "listener.security.protocol.map"
	text, ok := s.Get(setting)
	if !ok {
		text = must(ScopeBroker, setting).Default
	}
	at, _ := s.Origin(setting)
	out := map[string]string{}
	for _, pair := range splitList(text) {
		name, protocol, ok := strings.Cut(pair, ":")
		protocol = strings.ToUpper(strings.TrimSpace(protocol))
		switch {
		case !ok:
			return nil, &Mistake{At: at, What: fmt.Sprintf("%s has %q; want NAME:PROTOCOL", setting, pair)}
		case protocol != "PLAINTEXT" && protocol != "SSL" && protocol != "SASL_PLAINTEXT" && protocol != "SASL_SSL":
			return nil, &Mistake{At: at, What: fmt.Sprintf("%s has %q; the protocols are PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL", setting, pair)}
		}
		out[strings.ToUpper(strings.TrimSpace(name))] = protocol
	}
	return out, nil
}

// securedByMap refuses listeners that the security map gives TLS or a login.
func securedByMap(s *Static, text string) string {
	protocols, err := s.protocols()
	if err != nil {
		return "" // crossCheck says so
	}
	names, _ := s.Get("controller.listener.names")
	controllers := splitList(strings.ToUpper(names))
	for _, one := range splitList(text) {
		name, _, _ := strings.Cut(one, "://")
		name = strings.ToUpper(name)
		if p := protocols[name]; p != "" && p != "PLAINTEXT" && !contains(controllers, name) {
			return fmt.Sprintf("listener %s speaks %s: %s", name, p, noTLS+", and without login")
		}
	}
	return ""
}
