package kafka

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// puller is a connection that a follower fetches on.
func puller(t *testing.T) net.Conn {
	t.Helper()
	row := api.Row(4, 18, func(_ context.Context, c *api.Conn, q *kmsg.FetchRequest) (kmsg.Response, error) {
		resp := q.ResponseKind().(*kmsg.FetchResponse)
		resp.SessionID = c.Node
		return resp, nil
	})
	r := newRigWith(t, nil, func(o *Options) { o.APIs = append(o.APIs, row) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		nc, err := l.Accept()
		_ = l.Close()
		if err != nil {
			t.Error(err)
			return
		}
		r.door.ServePuller(nc, 7)
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return nc
}

// sent sends a request and reads its answer.
func sent(t *testing.T, nc net.Conn, req kmsg.Request) ([]byte, error) {
	t.Helper()
	if _, err := nc.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 3)); err != nil {
		t.Fatal(err)
	}
	var head [4]byte
	if _, err := io.ReadFull(nc, head[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(nc, frame)
	return frame, err
}

func TestAPullerIsServedAsItsNode(t *testing.T) {
	nc := puller(t)
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(12)
	frame, err := sent(t, nc, req)
	if err != nil {
		t.Fatal(err)
	}
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	resp.SetVersion(12)
	if err := resp.ReadFrom(frame[5:]); err != nil || resp.SessionID != 7 {
		t.Errorf("got node %d, %v, want node 7", resp.SessionID, err)
	}
}

// Its bytes may be in the clear, so that whoever gets in between must not be able
// to do more than any client.
func TestAPullerMayNothingButFetch(t *testing.T) {
	progress := &own.ProgressRequest{}
	for _, req := range []kmsg.Request{kmsg.NewPtrMetadataRequest(), kmsg.NewPtrAlterPartitionRequest(), &own.CommandRequest{}, kmsg.NewPtrApiVersionsRequest()} {
		nc := puller(t)
		req.SetVersion(min(req.MaxVersion(), 3))
		if frame, err := sent(t, nc, req); err != io.EOF && !isReset(err) {
			t.Errorf("%s was answered with %x, %v", wire.LookupAPI(req.Key()).Name, frame, err)
		}
	}
	if !mayPull(wire.KeyFetch) || !mayPull(progress.Key()) {
		t.Error("a follower may not fetch, or not tell what it has synced")
	}
}
