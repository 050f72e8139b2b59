package peer

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"ottla/internal/sockcall"
)

// Conn is a connection between two nodes. TLS makes a record, and so a system
// call, of every 16 KiB; a Conn gathers what one Write makes of it and reads
// ahead, so that large answers cost few calls.
type Conn struct {
	*tls.Conn
	under *gathered
	peer  Whose // whom its certificate proves; zero while joining

	mu sync.Mutex // one Write at a time
}

// newConn takes over nc, of which first was read already.
func newConn(nc net.Conn, first []byte, config *tls.Config, client bool) *Conn {
	under := &gathered{Conn: sockcall.Wrap(nc), plain: nc}
	var in io.Reader = under.Conn
	if len(first) > 0 {
		in = io.MultiReader(bytes.NewReader(bytes.Clone(first)), in)
	}
	under.in = bufio.NewReaderSize(in, readAhead)
	c := &Conn{under: under}
	if client {
		c.Conn = tls.Client(under, config)
	} else {
		c.Conn = tls.Server(under, config)
	}
	return c
}

// Node is the node at the other end, as its certificate proves.
func (c *Conn) Node() int32 { return c.peer.NodeID }

// Read reads; the other end's close is io.EOF, with or without a farewell:
// everything on these connections carries its length.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// Write sends p and what was held back before it.
func (c *Conn) Write(p []byte) (int, error) { return c.write(p, false) }

// WriteMore is Write, but what it sends may leave with the next Write only.
func (c *Conn) WriteMore(p []byte) (int, error) { return c.write(p, true) }

func (c *Conn) write(p []byte, more bool) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.under.hold()
	n, err := c.Conn.Write(p)
	if more && err == nil {
		return n, nil
	}
	if ferr := c.under.release(); err == nil && ferr != nil {
		return 0, ferr
	}
	return n, err
}

// Close ends the connection at once. There is no farewell: it could wait for
// an end that does not read.
func (c *Conn) Close() error { return c.under.Conn.Close() }

var errTooSoon = errors.New("bytes came that belong to nothing yet")

// clear gives the connection below TLS, when that has done its work: both ends
// know who the other is, and said what they had to say.
func (c *Conn) clear() (*gathered, error) {
	if c.under.in.Buffered() > 0 {
		return nil, errTooSoon
	}
	return c.under, nil
}

// Sizes of gathering. writeAhead is about what a socket takes at once.
const (
	readAhead  = 64 << 10
	writeAhead = 128 << 10
)

// gathered is the connection below TLS.
type gathered struct {
	net.Conn
	plain net.Conn      // Conn as it was given
	in    *bufio.Reader // of the reader alone

	mu      sync.Mutex // guards all below
	holding bool
	buf     []byte
}

// Read reads ahead.
func (g *gathered) Read(p []byte) (int, error) { return g.in.Read(p) }

// Write sends p, or holds it back.
func (g *gathered) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.holding {
		return g.Conn.Write(p)
	}
	g.buf = append(g.buf, p...)
	if len(g.buf) < writeAhead {
		return len(p), nil
	}
	if err := g.flush(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// hold begins to gather.
func (g *gathered) hold() {
	g.mu.Lock()
	g.holding = true
	g.mu.Unlock()
}

// release sends what was gathered and gathers no more.
func (g *gathered) release() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holding = false
	return g.flush()
}

// flush sends what was gathered; the lock is held.
func (g *gathered) flush() error {
	if len(g.buf) == 0 {
		return nil
	}
	_, err := g.Conn.Write(g.buf)
	if g.buf = g.buf[:0]; cap(g.buf) > 2*writeAhead {
		g.buf = nil
	}
	return err
}

// How soon an end that is gone without a word is noticed: with the probe after
// 9 s when the connection is quiet, and with the first try after unackedFor when
// something was sent. Linux gives up at a probe that finds unackedFor over, so it
// is below the last of them.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 3 * time.Second, Interval: 2 * time.Second, Count: 3}

const unackedFor = 8 * time.Second

// unheardFor is unackedFor of the quorum's frames. What was lost is sent again less
// and less often, so that an election would wait after a cut for as long as that
// lasted; a connection that is made anew carries its frames at once.
const unheardFor = time.Second

// tune asks the kernel to notice half-open connections: those that send, when nothing
// was acknowledged for so long.
func tune(nc net.Conn, unacked time.Duration) {
	tc, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	_ = tc.SetKeepAliveConfig(keepAlive) // a socket that cannot is noticed by heartbeats
	tuneUnacked(tc, unacked)
}
