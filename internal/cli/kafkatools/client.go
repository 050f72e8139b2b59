package kafkatools

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/kafkatools/settings"
	"ottla/internal/cli/kafkatools/words"
	"ottla/internal/cli/reach"
)

const (
	connectTimeout = 5 * time.Second
	requestTimeout = 30 * time.Second // Kafka's default of request.timeout.ms
)

// bootstrapOptions are the two options of every tool that only administers.
func bootstrapOptions(required bool) []option {
	return []option{
		{name: "bootstrap-server", arg: "HOST:PORT,...", required: required, help: "the servers to connect to"},
		{name: "command-config", arg: "FILE", help: "client settings in a properties file"},
	}
}

// connect reaches the cluster named by --bootstrap-server (or servers, where a
// tool takes it elsewhere) and makes a client with the settings that all
// clients share.
func (c *call) connect(ctx context.Context, servers string, p settings.Properties, name string, extra ...kgo.Opt) (*kgo.Client, error) {
	addresses, err := reach.Split(servers)
	if err != nil {
		return nil, usagef("Invalid bootstrap servers: %v", err)
	}
	good, tried := reach.Any(ctx, addresses, connectTimeout)
	if len(good) == 0 {
		return nil, words.New("No Kafka server answers: %s", strings.Join(tried, "; "))
	}
	timeout := requestTimeout
	if ms, err := p.Integer("request.timeout.ms", 0); err != nil {
		return nil, err
	} else if ms > 0 {
		timeout = time.Duration(ms) * time.Millisecond
	}
	if p["client.id"] != "" {
		name = p["client.id"]
	}
	opts := append([]kgo.Opt{
		kgo.SeedBrokers(good...), kgo.ClientID(name), kgo.DialTimeout(connectTimeout),
		kgo.RetryTimeout(timeout), kgo.RequestTimeoutOverhead(timeout), kgo.MetadataMinAge(50 * time.Millisecond),
	}, extra...)
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", servers, err)
	}
	return client, nil
}

// admin is connect for tools that only ask and order.
func (c *call) admin(ctx context.Context, name string) (*kadm.Client, *kgo.Client, error) {
	p, err := c.clientProperties([]string{"command-config"}, nil)
	if err != nil {
		return nil, nil, err
	}
	client, err := c.connect(ctx, c.value("bootstrap-server", ""), p, name)
	if err != nil {
		return nil, nil, err
	}
	a := kadm.NewClient(client)
	a.SetTimeoutMillis(int32(requestTimeout.Milliseconds()))
	return a, client, nil
}

// clientProperties merges the files of the given options with the pairs of the
// others, which win.
func (c *call) clientProperties(files, single []string) (settings.Properties, error) {
	out := settings.Properties{}
	for _, path := range c.values(files...) {
		p, err := settings.Read(path)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, p)
	}
	for _, name := range single {
		for _, pair := range c.values(name) {
			k, v, ok := strings.Cut(pair, "=")
			if !ok {
				return nil, words.New("Invalid property: %s", pair)
			}
			out[k] = v
		}
	}
	return out, out.Refuse()
}
