package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

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
func (c *call) connect(ctx context.Context, servers string, p properties, name string, extra ...kgo.Opt) (*kgo.Client, error) {
	addresses, err := reach.Split(servers)
	if err != nil {
		return nil, usagef("Invalid bootstrap servers: %v", err)
	}
	good, tried := reach.Any(ctx, addresses, connectTimeout)
	if len(good) == 0 {
		return nil, inKafkasWords("No Kafka server answers: %s", strings.Join(tried, "; "))
	}
	timeout := requestTimeout
	if ms, err := p.integer("request.timeout.ms", 0); err != nil {
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

// plain is an error's text as Kafka's tools print it: the server's message, or
// the code's own text, without the code's name.
func plain(err error, message string) string {
	var k *kerr.Error
	switch {
	case message != "":
		return message
	case tooOld(err):
		return "The server does not serve this request."
	case errors.As(err, &k):
		return k.Description
	}
	return err.Error()
}

// said makes an error of an answer's code and message, nil when there is none.
func said(err error, message string) error {
	if err == nil {
		return nil
	}
	return &answered{cause: err, text: plain(err, message)}
}

// answered is an error that a server sent, shown by its text alone.
type answered struct {
	cause error
	text  string
}

func (a *answered) Error() string { return a.text }
func (a *answered) Unwrap() error { return a.cause }

// inKafkasWords is an error whose text begins as Kafka's does, with a capital.
func inKafkasWords(format string, args ...any) error {
	return &answered{text: fmt.Sprintf(format, args...)}
}

// tooOld tells whether the server serves no version of a request; the client
// finds that out before it sends, with an error of its own.
func tooOld(err error) bool {
	return errors.Is(err, kerr.UnsupportedVersion) || err != nil && strings.Contains(err.Error(), "broker is too old")
}
