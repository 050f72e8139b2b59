package ask

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/reach"
)

// DefaultHTTP is where `ottla dev` answers HTTP.
const DefaultHTTP = "127.0.0.1:8080"

// BindHTTP adds the flag --http.
func BindHTTP(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "http", EnvOr("OTTLA_HTTP", ""), "`HOST:PORT` of a node's HTTP port (default: what a node behind -b says)")
}

// HTTPAddress is where to ask for what the Kafka protocol does not tell: what was given,
// else where a node of `ottla dev` has it when that is asked and is there, else where one of
// the nodes behind -b says it has it; "" where none says so.
func (o *Options) HTTPAddress(ctx context.Context, given string) string {
	if given != "" {
		return strings.TrimPrefix(given, "http://")
	}
	if at := o.found.Load(); at != nil {
		return *at
	}
	at := o.find(ctx)
	o.found.Store(&at)
	return at
}

// find looks for an HTTP port.
func (o *Options) find(ctx context.Context) string {
	usual := ""
	if o.Bootstrap == DefaultBootstrap {
		if usual = DefaultHTTP; o.listens(ctx, usual) {
			return usual
		}
	}
	told := o.told(ctx)
	for _, at := range told {
		if o.listens(ctx, at) {
			return at
		}
	}
	if usual == "" && len(told) > 0 {
		return told[0]
	}
	return usual
}

// mostLooked is how long a look for an HTTP port may take.
const mostLooked = 2 * time.Second

func (o *Options) listens(ctx context.Context, at string) bool {
	d := net.Dialer{Timeout: min(o.ConnectTimeout, mostLooked)}
	c, err := d.DialContext(ctx, "tcp", at)
	if err != nil {
		return false
	}
	_ = c.Close() // nothing was said on it
	return true
}

// told are the HTTP ports that nodes have by their setting http.listen.
func (o *Options) told(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, o.ConnectTimeout+mostLooked)
	defer cancel()
	a, done, err := o.Admin(ctx)
	if err != nil {
		return nil
	}
	defer done()
	nodes, err := a.ListBrokers(ctx)
	if err != nil {
		return nil
	}
	settings, err := a.DescribeBrokerConfigs(ctx, nodes.NodeIDs()...)
	if err != nil && len(settings) == 0 {
		return nil
	}
	var out []string
	for _, n := range nodes {
		s, err := settings.On(strconv.Itoa(int(n.NodeID)), nil)
		if err != nil || s.Err != nil {
			continue
		}
		i := slices.IndexFunc(s.Configs, func(c kadm.Config) bool { return c.Key == "http.listen" })
		if i < 0 || s.Configs[i].Value == nil {
			continue
		}
		if at := reachable(*s.Configs[i].Value, n.Host); at != "" {
			out = append(out, at)
		}
	}
	return out
}

// reachable is the address of a port that listens on some address of a host; "" where that is
// no port, or is for programs of the host itself and it may be another than this one.
func reachable(listens, host string) string {
	at, port, err := net.SplitHostPort(listens)
	if err != nil || port == "" || port == "0" {
		return ""
	}
	switch ip := net.ParseIP(at); {
	case at == "" || ip != nil && ip.IsUnspecified():
		at = host
	case reach.Loopback(at) && !reach.Loopback(host):
		return ""
	}
	return net.JoinHostPort(at, port)
}
