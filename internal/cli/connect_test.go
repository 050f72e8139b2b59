package cli

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/fail"
)

// answering listens and answers the first bytes of every connection with text;
// nil closes it at once.
func answering(t *testing.T, text []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 14)
			_, _ = c.Read(buf)
			_, _ = c.Write(text)
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestUnreachableClusterNamesEveryAddressTried(t *testing.T) {
	http := answering(t, []byte("HTTP/1.1 400"))
	tls := answering(t, []byte{0x15, 3, 3, 0, 2, 2, 22, 0})
	o := &options{bootstrap: http + "," + tls, connectTimeout: time.Minute, timeout: time.Second}
	_, err := o.connect(context.Background())
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
		if got := fail.CodeOf(kafkaFailure("x", c.err)); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}
