package sockcall

import (
	"io"
	"net"
	"os"
	"syscall"
)

// Conn is a connection that is read and written by Receive and Send. Everything
// else, deadlines among it, is the connection's below.
type Conn struct {
	net.Conn
	rc syscall.RawConn

	in  []byte // of the reader, as are the next two
	got int
	rep error

	out []byte // of the writer, as is the next
	wep error

	tryIn, tryOut func(fd uintptr) bool // bound once each
}

// Wrap makes a Conn of a connection that is a socket of the poller; others, and all
// where the system has no such calls, are given back as they are.
func Wrap(nc net.Conn) net.Conn {
	tc, ok := nc.(*net.TCPConn)
	if !ok || !wraps {
		return nc
	}
	rc, err := tc.SyscallConn()
	if err != nil {
		return nc
	}
	c := &Conn{Conn: nc, rc: rc}
	c.tryIn, c.tryOut = c.receive, c.send
	return c
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c.in, c.got, c.rep = b, 0, nil
	err := c.rc.Read(c.tryIn)
	c.in = nil
	switch {
	case err != nil:
		return 0, err
	case c.rep != nil:
		return 0, c.failed("read", "recvfrom", c.rep)
	case c.got == 0:
		return 0, io.EOF
	}
	return c.got, nil
}

// receive reads once; false lets the poller wait.
func (c *Conn) receive(fd uintptr) bool {
	c.got, c.rep = Receive(fd, c.in)
	return c.rep != syscall.EAGAIN
}

// Write implements net.Conn.
func (c *Conn) Write(b []byte) (int, error) {
	c.out, c.wep = b, nil
	err := c.rc.Write(c.tryOut)
	n := len(b) - len(c.out)
	c.out = nil
	if err == nil && c.wep != nil {
		err = c.failed("write", "sendto", c.wep)
	}
	return n, err
}

// send writes until all is gone or the socket is full.
func (c *Conn) send(fd uintptr) bool {
	for len(c.out) > 0 {
		n, err := Send(fd, c.out, false)
		switch err {
		case nil:
			c.out = c.out[n:]
		case syscall.EAGAIN:
			return false
		default:
			c.wep = err
			return true
		}
	}
	return true
}

func (c *Conn) failed(op, call string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(call, err)}
}
