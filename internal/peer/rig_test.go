package peer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = time.Minute

// wall is the clock of tests that are not about clocks.
var wall = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func fixed() time.Time { return wall }

// whose is node n of cluster C.
func whose(n int32) Whose {
	return Whose{ClusterID: "C", NodeID: n, DirectoryID: uuid.UUID{1, byte(n)}}
}

// founded is the identity of node 1 of cluster C.
func founded(t testing.TB) *Identity {
	t.Helper()
	f := vfs.NewMem(0)
	if err := f.MkdirAll("/data", 0o755); err != nil {
		t.Fatal(err)
	}
	id, err := Found(f, "/data", whose(1), wall)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// of is the identity of another node of the same cluster.
func (id *Identity) of(t testing.TB, w Whose) *Identity {
	t.Helper()
	made, err := newIdentity(w, id.authority, id.secret, wall)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// logLines keeps log lines.
type logLines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// station is a node's server on a port of its own, with a Kafka side that
// speaks just enough to be called.
type station struct {
	t      testing.TB
	id     *Identity
	server *Server
	addr   string
	logs   logLines
	frames chan []byte // of the quorum, with the sender in front
	left   chan int32

	mu     sync.Mutex
	hold   func(*own.CommandRequest) <-chan struct{} // delays an answer
	served []*own.CommandRequest
}

// newStation serves id; edit may change the options.
func newStation(t testing.TB, id *Identity, edit func(*ServerOptions)) *station {
	t.Helper()
	s := &station{t: t, id: id, frames: make(chan []byte, 1024), left: make(chan int32, 1024)}
	o := ServerOptions{
		Identity: func() (*Identity, error) { return id, nil },
		Kafka:    s.kafka,
		Raft: func(from int32, frame []byte) {
			select {
			case s.frames <- append(binary.BigEndian.AppendUint32(nil, uint32(from)), frame...):
			default: // more than a test looks at
			}
		},
		Left:   func(node int32) { s.left <- node },
		Now:    fixed,
		Logger: slog.New(slog.NewTextHandler(&s.logs, nil)),
	}
	if edit != nil {
		edit(&o)
	}
	s.server = NewServer(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go s.server.Handle(nc, nil)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.server.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// kafka answers ApiVersions and Command; a Command's answer is its body.
func (s *station) kafka(nc net.Conn, node int32, calls bool) {
	var mu sync.Mutex
	var answering sync.WaitGroup
	defer answering.Wait()
	for {
		frame, err := readFrame(nc, MaxFrame)
		if err != nil {
			return
		}
		h, body, err := wire.ParseHeader(frame)
		if err != nil {
			s.t.Errorf("node %d sent %x: %v", node, frame, err)
			return
		}
		var req kmsg.Request
		if h.Key == wire.KeyApiVersions {
			req = kmsg.NewPtrApiVersionsRequest()
		} else {
			req = own.RequestForKey(h.Key)
		}
		req.SetVersion(h.Version)
		if err := req.ReadFrom(body); err != nil {
			s.t.Errorf("node %d sent %x: %v", node, frame, err)
			return
		}
		answer := func(resp kmsg.Response) {
			mu.Lock()
			defer mu.Unlock()
			out := wire.BeginFrame(nil)
			out = resp.AppendTo(wire.AppendResponseHeader(out, &h))
			wire.EndFrame(out, 0, 0)
			_, _ = nc.Write(out)
		}
		s.serve(req, answer, &answering)
	}
}

func (s *station) serve(req kmsg.Request, answer func(kmsg.Response), answering *sync.WaitGroup) {
	switch req := req.(type) {
	case *kmsg.ApiVersionsRequest:
		resp := req.ResponseKind().(*kmsg.ApiVersionsResponse)
		resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: wire.KeyMetadata, MinVersion: 9, MaxVersion: 11})
		answer(resp)
	case *own.CommandRequest:
		s.mu.Lock()
		s.served = append(s.served, req)
		hold := s.hold
		s.mu.Unlock()
		resp := req.ResponseKind().(*own.CommandResponse)
		resp.Body = req.Body
		if hold == nil {
			answer(resp)
			return
		}
		answering.Go(func() {
			if until := hold(req); until != nil {
				<-until
			}
			answer(resp)
		})
	case *own.ProgressRequest:
		s.frames <- []byte("progress")
	}
}

// count is how many commands came.
func (s *station) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.served)
}

// pool is a pool of id that knows where the stations are.
func pool(t testing.TB, id *Identity, edit func(*PoolOptions), others ...*station) *Pool {
	t.Helper()
	o := PoolOptions{
		Identity: func() (*Identity, error) { return id, nil },
		Addresses: func(node int32) []string {
			for _, s := range others {
				if s.id.NodeID == node {
					return []string{s.addr}
				}
			}
			return nil
		},
		Now: fixed,
	}
	if edit != nil {
		edit(&o)
	}
	p := NewPool(o)
	t.Cleanup(p.Close)
	return p
}

// command is a call whose answer is its own body.
func command(body string) *own.CommandRequest {
	return &own.CommandRequest{Kind: "echo", Body: []byte(body)}
}

// echo makes such a call and checks the answer.
func echo(t testing.TB, p *Pool, node int32, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp, err := p.Call(ctx, node, command(body))
	if err != nil {
		t.Fatalf("call node %d: %v", node, err)
	}
	if got := resp.(*own.CommandResponse); string(got.Body) != body {
		t.Fatalf("node %d answers %q, want %q", node, got.Body, body)
	}
}

// receive takes what must come.
func receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("did not come: %s", what)
		panic("not reached")
	}
}

// ends checks that the other end closes a connection.
func ends(t testing.TB, nc net.Conn) {
	t.Helper()
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, nc); err != nil && errors.Is(err, context.DeadlineExceeded) {
		t.Fatal("the connection stays open")
	}
}
