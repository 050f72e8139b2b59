package relay_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/relay"
)

// line is a way to the node that can be cut in the middle of a request.
type line struct {
	cut  atomic.Bool
	sent chan struct{} // told when something went out after the cut
}

func (l *line) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if l.cut.Load() {
		return nil, errors.New("nobody is there")
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	return &wire{c, l}, err
}

type wire struct {
	net.Conn
	l *line
}

// Write sends after the cut, too, but nobody hears what comes of it.
func (w *wire) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	if w.l.cut.Load() {
		_ = w.Close()
		select {
		case w.l.sent <- struct{}{}:
		default:
		}
	}
	return n, err
}

// What became of a row is not known where the node goes away with it. Who is told to stop
// then does.
func TestARelayEndsWhoseNodeWentAwayWithARow(t *testing.T) {
	r := newNode(t)
	l := &line{sent: make(chan struct{}, 1)}
	o := r.outlet(&memory{})
	o.Connect = func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
		return r.connect(ctx, append(opts, kgo.Dialer(l.dial))...)
	}
	log, err := o.Open(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	l.cut.Store(true)
	ended := make(chan error, 1)
	go func() {
		_, err := log.Write(ctx, []relay.Row{{ID: int64(1), AggregateType: "order", AggregateID: "1", Type: "T", Payload: []byte("{}")}})
		log.Close()
		ended <- err
	}()
	<-l.sent
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
	case <-r.ctx.Done():
		t.Fatal("it does not end")
	}
}
