package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// ServerOptions make a Server. Identity is needed, the rest may be nil: what
// has nobody to serve it is refused.
type ServerOptions struct {
	// Identity gives this node's identity; it is asked when the first
	// connection comes, so that it may be made late.
	Identity func() (*Identity, error)
	// Admit reserves a place in the cluster for a node that joins and tells
	// who is in it already. An error is told to the node; one with a retriable
	// code lets it try again.
	Admit func(ctx context.Context, r JoinRequest) (nodeID int32, members []Member, err error)
	// Insecure lets nodes join without a token.
	Insecure bool
	// Kafka serves Kafka's protocol to a node until the connection is over.
	// calls says that the node's requests have nothing to do with each other.
	Kafka func(nc net.Conn, node int32, calls bool)
	// Pull, if not nil, serves a follower's fetches, and nothing else, until the
	// connection is over. When the follower wants it so too, they are in the clear
	// once both ends have shown who they are: for nodes whose clients are in
	// the clear as well.
	Pull func(nc net.Conn, node int32)
	// Raft takes a frame of the metadata quorum from a node, which it may
	// keep. It must not wait long.
	Raft func(from int32, frame []byte)
	// Left is told that the last connection of a node has ended.
	Left func(node int32)
	// Now is the clock that certificates are judged by; time.Now when nil.
	Now    func() time.Time
	Logger *slog.Logger
}

// Server is the nodes' side of the door: it takes connections that begin with
// TLS, finds out which node they are from and hands them on. Its methods may be
// called from any goroutine.
type Server struct {
	o     ServerOptions
	room  waitingRoom
	here  presence
	noise throttle

	ctx    context.Context // of joins
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex // guards all below
	closed bool
	conns  map[net.Conn]struct{}

	sideMu sync.Mutex // guards side, and that it is made once
	side   *serverSide
}

// serverSide is what is made of the identity once.
type serverSide struct {
	id  *Identity
	tls *tls.Config
}

// handshakeTime bounds how long a connection may take to say whose it is.
const handshakeTime = 10 * time.Second

// ErrClosed says that the server or pool was closed.
var ErrClosed = errors.New("connections between nodes are closed")

// NewServer makes a server; it costs nothing until a connection comes.
func NewServer(o ServerOptions) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, conns: map[net.Conn]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.here.left = o.Left
	return s
}

// config is made when the first connection comes. An identity that cannot be
// had now may be there for the next one.
func (s *Server) config() (*serverSide, error) {
	s.sideMu.Lock()
	defer s.sideMu.Unlock()
	if s.side != nil {
		return s.side, nil
	}
	id, err := s.o.Identity()
	if err != nil {
		return nil, fmt.Errorf("connections of nodes: %w", err)
	}
	s.side = &serverSide{id, id.serverConfig(s.o.Now, s.o.Pull != nil)}
	return s.side, nil
}

// Handle serves a connection of which first was read already, and returns when
// it is over; nc is closed then.
func (s *Server) Handle(nc net.Conn, first []byte) {
	defer nc.Close()
	if !s.enter(nc) {
		return
	}
	defer s.leave(nc)
	if err := s.handle(nc, first); err != nil && !errors.Is(err, ErrClosed) {
		s.noise.say(s.o.Logger, s.o.Now(), "connection of a node refused", slog.String("remote", remote(nc)), slog.Any("err", err))
	}
}

func remote(nc net.Conn) string {
	if a := nc.RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}

// handle finds out what the connection is. It waits in the waiting room until
// it is known whose it is.
func (s *Server) handle(nc net.Conn, first []byte) error {
	side, err := s.config()
	if err != nil {
		return err
	}
	tune(nc, unackedFor)
	wait := s.room.enter(nc)
	defer s.room.leave(wait)
	_ = nc.SetDeadline(time.Now().Add(handshakeTime))
	c := newConn(nc, first, side.tls, false)
	if err := c.HandshakeContext(s.ctx); err != nil {
		return s.outOfRoom(wait, fmt.Errorf("handshake: %w", err))
	}
	cs := c.ConnectionState()
	if cs.NegotiatedProtocol == protoJoin {
		return s.outOfRoom(wait, s.join(side.id, c, func() { s.room.leave(wait) }))
	}
	if c.peer, err = side.id.prove(cs.PeerCertificates, s.o.Now()); err != nil {
		return err
	}
	s.room.leave(wait)
	return s.welcome(c, cs.NegotiatedProtocol)
}

// outOfRoom says why a connection ended that had to make room.
func (s *Server) outOfRoom(w *waiting, err error) error {
	if err != nil && w.pushedOut.Load() {
		return errPushedOut
	}
	return err
}

// welcome tells a node that it is let in, or why not, and serves it.
func (s *Server) welcome(c *Conn, proto string) error {
	err := s.judge(c, proto)
	if err == nil && proto == protoProbe {
		return writeVerdict(c, s.here.clones(c.peer))
	}
	if err == nil {
		if err = s.here.enter(c.peer); err == nil {
			defer s.here.leave(c.peer)
		}
	}
	if werr := writeVerdict(c, err); err == nil {
		err = werr
	}
	if err != nil {
		return err
	}
	_ = c.SetDeadline(time.Time{})
	switch proto {
	case protoRaft:
		return s.raft(c)
	case protoPull:
		under, err := c.clear()
		if err != nil {
			return err
		}
		s.o.Pull(under.plain, c.peer.NodeID)
		return nil
	default:
		s.o.Kafka(c, c.peer.NodeID, proto == protoCalls)
		return nil
	}
}

// judge refuses what nobody here serves.
func (s *Server) judge(c *Conn, proto string) error {
	served := true
	switch proto {
	case protoRaft:
		served = s.o.Raft != nil
	case protoKafka, protoCalls:
		served = s.o.Kafka != nil
	}
	if !served {
		return &Refused{What: "this node", Reason: "does not serve " + proto + " to nodes"}
	}
	return nil
}

// raft hands on the frames of a node until it ends.
func (s *Server) raft(c *Conn) error {
	for {
		frame, err := readFrame(c, MaxFrame)
		switch {
		case errors.Is(err, errFrameSize):
			return fmt.Errorf("frame of the metadata quorum from %s: %w", c.peer, err)
		case err != nil:
			return nil // the node went, and says hello again
		}
		s.o.Raft(c.peer.NodeID, frame)
	}
}

// enter counts a connection in, unless the server is closed.
func (s *Server) enter(nc net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[nc] = struct{}{}
	s.wg.Add(1)
	return true
}

func (s *Server) leave(nc net.Conn) {
	s.mu.Lock()
	delete(s.conns, nc)
	s.mu.Unlock()
	s.wg.Done()
}

// Close ends all connections and waits until nobody is served any more, or
// until ctx ends.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for nc := range s.conns {
		_ = nc.Close() // whoever serves it notices
	}
	s.mu.Unlock()
	s.cancel()
	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close the connections of nodes: %w", ctx.Err())
	}
}

// Cut ends every connection now, as a broken network does, and tells how many
// there were.
func (s *Server) Cut() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for nc := range s.conns {
		_ = nc.Close()
	}
	return len(s.conns)
}

// verdict is what a node hears first on a connection: 0, or 1 and why not.
const (
	verdictYes = 0
	verdictNo  = 1
	maxVerdict = 4 << 10
)

func writeVerdict(c *Conn, refusal error) error {
	if refusal == nil {
		_, err := c.Write([]byte{verdictYes})
		return err
	}
	text := refusal.Error()
	text = text[:min(len(text), maxVerdict)]
	_, err := c.Write(append([]byte{verdictNo, byte(len(text) >> 8), byte(len(text))}, text...))
	return err
}

// readVerdict waits for the word of the other end.
func readVerdict(c *Conn) error {
	var b [3]byte
	if _, err := io.ReadFull(c, b[:1]); err != nil {
		return err
	}
	if b[0] == verdictYes {
		return nil
	}
	if _, err := io.ReadFull(c, b[1:]); err != nil {
		return err
	}
	text := make([]byte, min(int(b[1])<<8|int(b[2]), maxVerdict))
	if _, err := io.ReadFull(c, text); err != nil {
		return err
	}
	return errors.New(string(text))
}
