package pipe

import (
	"net"
	"time"
)

// Addr is an end's address: any text, network "memory".
type Addr string

// Network and String make Addr a net.Addr.
func (a Addr) Network() string { return "memory" }

// String is the address as it was given.
func (a Addr) String() string { return string(a) }

// Conn is one end. It is a net.Conn; its methods may be called from any
// goroutine.
type Conn struct {
	in, out       *half
	local, remote net.Addr
}

// New makes a pipe: what a writes b reads, and the other way round.
func New(a, b net.Addr) (*Conn, *Conn) {
	ab, ba := newHalf(), newHalf()
	return &Conn{in: ba, out: ab, local: a, remote: b}, &Conn{in: ab, out: ba, local: b, remote: a}
}

// Read waits for bytes; io.EOF once the other end is closed and all is read.
func (c *Conn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write waits for room; io.ErrClosedPipe, which is net.ErrClosed as
// well, once either end is closed.
func (c *Conn) Write(p []byte) (int, error) { return c.out.write(p) }

// WaitReadable returns when Read would not wait, so that a reader needs no
// buffer while there is nothing to read.
func (c *Conn) WaitReadable() error { return c.in.waitReadable() }

// Close ends both directions; the other end still reads what was written.
func (c *Conn) Close() error {
	c.out.closeWrite()
	c.in.closeRead()
	return nil
}

// LocalAddr and RemoteAddr are what New was given.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the address of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines; the zero time is none.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

// SetReadDeadline bounds Read, SetWriteDeadline Write.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

// SetWriteDeadline bounds Write.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}
