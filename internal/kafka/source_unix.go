//go:build unix

package kafka

import (
	"io"
	"net"
	"syscall"

	"ottla/internal/sockcall"
)

// newSource picks the way of reading that needs no memory while it waits.
func newSource(nc net.Conn) source {
	if w, ok := nc.(waiter); ok {
		return &waitSource{nc: nc, w: w}
	}
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return &plainSource{nc}
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return &plainSource{nc}
	}
	s := &rawSource{rc: rc}
	s.try = s.attempt
	return s
}

// rawSource reads a socket through the poller: memory is taken only once there
// are bytes to read.
type rawSource struct {
	rc  syscall.RawConn
	in  *inbox
	n   int
	err error
	try func(fd uintptr) bool // attempt, bound once
}

// read implements source.
func (s *rawSource) read(in *inbox) (int, error) {
	s.in = in
	if err := s.rc.Read(s.try); err != nil {
		return 0, err
	}
	switch {
	case s.err != nil:
		return 0, s.err
	case s.n == 0:
		return 0, io.EOF
	}
	return s.n, nil
}

// attempt reads once; false lets the poller wait.
func (s *rawSource) attempt(fd uintptr) bool {
	s.n, s.err = sockcall.Receive(fd, s.in.room())
	if s.err == syscall.EAGAIN {
		s.in.idle()
		return false
	}
	return true
}
