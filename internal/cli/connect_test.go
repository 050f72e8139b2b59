package cli

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/reach/fake"
)

func TestUnreachableClusterNamesEveryAddressTried(t *testing.T) {
	http := fake.Answering(t, []byte("HTTP/1.1 400"))
	tls := fake.Answering(t, []byte{0x15, 3, 3, 0, 2, 2, 22, 0})
	o := &ask.Options{Bootstrap: http + "," + tls, ConnectTimeout: time.Minute, Timeout: time.Second}
	_, err := o.Connect(context.Background())
	var f *fail.Failure
	if !errors.As(err, &f) || f.Code != fail.Unreachable || !strings.Contains(f.Why, http+": it answers HTTP") || !strings.Contains(f.Why, tls+": it speaks TLS") {
		t.Fatalf("got %+v", err)
	}
}

func TestKafkaErrorsHaveFixedExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{kerr.UnknownTopicOrPartition, fail.NotFound},
		{kerr.TopicAuthorizationFailed, fail.NotAllowed},
		{kerr.RequestTimedOut, fail.TimedOut},
		{context.DeadlineExceeded, fail.TimedOut},
		{kerr.InvalidPartitions, fail.Failed},
		{errors.New("x"), fail.Failed},
	} {
		if got := fail.CodeOf(ask.KafkaFailure("x", c.err)); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}
