package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/reach"
)

// Connect reaches the cluster, trying every address given, and says of each
// what happened when none answers as Kafka does.
func (o *Options) Connect(ctx context.Context, extra ...kgo.Opt) (*kgo.Client, error) {
	addresses, err := reach.Split(o.Bootstrap)
	if err != nil {
		return nil, fail.Usagef("-b: %v", err)
	}
	good, tried := reach.Any(ctx, addresses, o.ConnectTimeout)
	if len(good) == 0 {
		return nil, fail.New(fail.Unreachable, "no Kafka server answers at "+strings.Join(addresses, ", "),
			strings.Join(tried, "; "), "start one with \"ottla dev\", or name another with -b HOST:PORT")
	}
	opts := append([]kgo.Opt{
		kgo.SeedBrokers(good...),
		kgo.ClientID("ottla-cli"),
		kgo.DialTimeout(o.ConnectTimeout),
		kgo.RetryTimeout(o.Timeout),
		kgo.RequestTimeoutOverhead(o.Timeout),
		kgo.MetadataMinAge(50 * time.Millisecond),
	}, extra...)
	c, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", o.Bootstrap, err)
	}
	return c, nil
}

// Admin is Connect for commands that only ask and order.
func (o *Options) Admin(ctx context.Context) (*kadm.Client, func(), error) {
	c, a, err := o.Asking(ctx)
	if err != nil {
		return nil, nil, err
	}
	return a, c.Close, nil
}

// Asking is Admin with the client that it asks by.
func (o *Options) Asking(ctx context.Context, extra ...kgo.Opt) (*kgo.Client, *kadm.Client, error) {
	c, err := o.Connect(ctx, extra...)
	if err != nil {
		return nil, nil, err
	}
	a := kadm.NewClient(c)
	a.SetTimeoutMillis(int32(o.Timeout.Milliseconds()))
	return c, a, nil
}

// KafkaFailure turns an error of the client into a failure: Kafka's own codes
// by what they mean to a caller, time-outs and lost servers apart.
func KafkaFailure(what string, err error) error {
	if err == nil {
		return nil
	}
	var f *fail.Failure
	if errors.As(err, &f) {
		return err
	}
	out := &fail.Failure{Code: fail.Failed, What: what, Why: err.Error(), Cause: err}
	var k *kerr.Error
	var ne net.Error
	switch {
	case errors.As(err, &k):
		out.KafkaError = k.Message
		out.Code = exitOf(k)
		out.Why = detail(err, k)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		out.Code, out.Next = fail.TimedOut, "is the server healthy? see its log, or raise --timeout"
	case errors.As(err, &ne), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNREFUSED):
		out.Code = fail.Unreachable
	}
	return out
}

func exitOf(k *kerr.Error) int {
	switch k {
	case kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.GroupIDNotFound, kerr.ResourceNotFound:
		return fail.NotFound
	case kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.SaslAuthenticationFailed:
		return fail.NotAllowed
	case kerr.RequestTimedOut:
		return fail.TimedOut
	}
	return fail.Failed
}

// detail prefers the server's own message to the code's default text.
func detail(err error, k *kerr.Error) string {
	text := strings.TrimSpace(strings.TrimPrefix(err.Error(), k.Error()))
	text = strings.TrimSpace(strings.TrimPrefix(text, ":"))
	if text == "" {
		return strings.TrimPrefix(k.Error(), k.Message+": ")
	}
	return text
}
