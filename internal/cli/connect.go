package cli

import (
	"context"
	"encoding/binary"
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
)

// connect reaches the cluster, trying every address given, and says of each
// what happened when none answers as Kafka does.
func (o *options) connect(ctx context.Context, extra ...kgo.Opt) (*kgo.Client, error) {
	addresses, err := splitAddresses(o.bootstrap)
	if err != nil {
		return nil, err
	}
	var tried []string
	var good []string
	for _, a := range addresses {
		if why := probe(ctx, a, o.connectTimeout); why != "" {
			tried = append(tried, a+": "+why)
		} else {
			good = append(good, a)
		}
	}
	if len(good) == 0 {
		return nil, fail.New(fail.Unreachable, "no Kafka server answers at "+strings.Join(addresses, ", "),
			strings.Join(tried, "; "), "start one with \"ottla dev\", or name another with -b HOST:PORT")
	}
	opts := append([]kgo.Opt{
		kgo.SeedBrokers(good...),
		kgo.ClientID("ottla-cli"),
		kgo.DialTimeout(o.connectTimeout),
		kgo.RetryTimeout(o.timeout),
		kgo.RequestTimeoutOverhead(o.timeout),
		kgo.MetadataMinAge(50 * time.Millisecond),
	}, extra...)
	c, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", o.bootstrap, err)
	}
	return c, nil
}

// admin is connect for commands that only ask and order.
func (o *options) admin(ctx context.Context) (*kadm.Client, func(), error) {
	c, err := o.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	a := kadm.NewClient(c)
	a.SetTimeoutMillis(int32(o.timeout.Milliseconds()))
	return a, c.Close, nil
}

func splitAddresses(list string) ([]string, error) {
	var out []string
	for a := range strings.SplitSeq(list, ",") {
		a = strings.TrimSpace(a)
		if a == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(a); err != nil {
			if strings.Count(a, ":") > 0 {
				return nil, fail.Usagef("-b %s: want HOST:PORT (%v)", a, err)
			}
			a = net.JoinHostPort(a, "9092")
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, fail.Usagef("-b names no server")
	}
	return out, nil
}

// probe asks one address for its API versions, as every client does first, and
// returns "" when it answers as Kafka, else what happened in plain words.
func probe(ctx context.Context, address string, timeout time.Duration) string {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return dialReason(err, timeout)
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err.Error()
		}
	}
	// ApiVersions v0: length, key 18, version 0, correlation id, null client id.
	request := binary.BigEndian.AppendUint32(nil, 10)
	request = append(request, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff)
	if _, err := c.Write(request); err != nil {
		return "connected, but it took no request: " + err.Error()
	}
	var answer [8]byte
	n, err := io.ReadFull(c, answer[:])
	return answerReason(answer[:n], err, timeout)
}

// answerReason judges the first bytes of an answer.
func answerReason(answer []byte, err error, timeout time.Duration) string {
	switch {
	case len(answer) >= 4 && string(answer[:4]) == "HTTP":
		return "it answers HTTP: that is not the Kafka port (8080 is usual for HTTP, 9092 for Kafka)"
	case len(answer) >= 2 && (answer[0] == 0x15 || answer[0] == 0x16) && answer[1] == 3:
		return "it speaks TLS, and this command plain text"
	case err == nil && binary.BigEndian.Uint32(answer[4:]) == 1:
		return ""
	case err == nil:
		return fmt.Sprintf("it answers, but not as Kafka (first bytes %q)", answer)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "connected, but it closed the connection without an answer (does it want TLS?)"
	}
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return fmt.Sprintf("connected, but no answer within %v", timeout)
	}
	return "connected, but no answer: " + err.Error()
}

func dialReason(err error, timeout time.Duration) string {
	var dns *net.DNSError
	var ne net.Error
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s is not known", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: nothing listens there"
	case errors.As(err, &ne) && ne.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %v", timeout)
	}
	return err.Error()
}

// kafkaFailure turns an error of the client into a failure: Kafka's own codes
// by what they mean to a caller, time-outs and lost servers apart.
func kafkaFailure(what string, err error) error {
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
