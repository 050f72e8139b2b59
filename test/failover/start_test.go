package failover

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/test/rig/trio"
)

// A node that starts answers no client until it has its place among those that
// serve: what it had on disk is an old story. Who waits is sent to the others after
// a second, and may come again.
func TestANodeAnswersClientsOnlyOnceItIsUnfenced(t *testing.T) {
	c := trio.Start(t, trio.Options{})
	for _, n := range []int{3, 2, 1} {
		c.Stop(n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// Alone it is no majority: it waits, with its port open.
	second := wake(ctx, t, c, 2)
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 12
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("early")).AppendRequest(nil, req, 7)
	if body, err := answer(reach(ctx, t, c.Addrs()[1]), frame); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("a node that is no majority answers %x, %v; want the connection reset", body, err)
	}
	first := wake(ctx, t, c, 1)
	var body []byte
	for err := error(syscall.ECONNRESET); err != nil; {
		if body, err = answer(reach(ctx, t, c.Addrs()[1]), frame); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
	}
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	resp.Version = req.Version
	if err := resp.ReadFrom(body); err != nil {
		t.Fatal(err)
	}
	// Only those that are unfenced are told of.
	if !slices.ContainsFunc(resp.Brokers, func(b kmsg.MetadataResponseBroker) bool { return b.NodeID == 2 }) {
		t.Errorf("node 2 answers with %v before it serves itself", resp.Brokers)
	}
	for _, started := range []<-chan error{first, second} {
		select {
		case err := <-started:
			if err != nil {
				t.Error(err)
			}
		case <-ctx.Done():
			t.Fatal("a node does not start")
		}
	}
}

// wake starts a node that was part of the cluster, and tells when it serves. It is
// stopped when the test ends.
func wake(ctx context.Context, t *testing.T, c *trio.Cluster, n int) <-chan error {
	t.Helper()
	started, node := make(chan error, 1), make(chan *ottla.Server, 1)
	go func() {
		s, err := ottla.Start(ctx, ottla.Options{Dir: c.Dir(n), NodeID: int32(n), Listen: c.Addrs()[n-1]})
		node <- s
		started <- err
	}()
	t.Cleanup(func() {
		if s := <-node; s != nil {
			if err := s.Close(); err != nil {
				t.Errorf("stop node %d: %v", n, err)
			}
		}
	})
	return started
}

// reach connects to a node as soon as its port is open.
func reach(ctx context.Context, t *testing.T, addr string) net.Conn {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			t.Cleanup(func() { nc.Close() })
			if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			return nc
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

// answer sends a request and reads its answer, without its header.
func answer(nc net.Conn, frame []byte) ([]byte, error) {
	if _, err := nc.Write(frame); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(nc, size[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(nc, body); err != nil {
		return nil, err
	}
	return body[5:], nil // correlation id, and no tagged fields
}
