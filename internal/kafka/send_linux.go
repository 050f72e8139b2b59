package kafka

import (
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"ottla/internal/sockcall"
)

// newSink picks raw system calls for TCP.
func newSink(nc net.Conn) sink {
	tc, ok := nc.(*net.TCPConn)
	if !ok {
		return newPlainSink(nc)
	}
	rc, err := tc.SyscallConn()
	if err != nil {
		return newPlainSink(nc)
	}
	s := &rawSink{rc: rc}
	s.tryBytes, s.tryFile, s.tryOnce = s.attemptBytes, s.attemptFile, s.attemptOnce
	return s
}

// rawSink writes a socket through the poller with send(2), which the scheduler
// is not told of, and sendfile(2), which may wait for the disk;
// MSG_MORE joins an answer's header and its records into full packets, and the
// explicit offset of sendfile leaves the file's own alone, so that readers of
// one segment do not meet.
type rawSink struct {
	rc   syscall.RawConn
	err  error
	buf  []byte
	more bool

	fd       int
	off      int64
	left     int
	step     func()
	tryBytes func(fd uintptr) bool // bound once each
	tryFile  func(fd uintptr) bool
	tryOnce  func(fd uintptr) bool
}

// sendStep bounds one sendfile call, so that progress is seen.
const sendStep = 1 << 20

func (s *rawSink) files() bool { return true }

func (s *rawSink) bytes(b []byte, more bool) error {
	s.buf, s.more, s.err = b, more, nil
	err := s.rc.Write(s.tryBytes)
	s.buf = nil
	if err != nil {
		return err
	}
	return s.err
}

func (s *rawSink) try(b []byte) int {
	s.buf, s.more, s.err = b, false, nil
	_ = s.rc.Write(s.tryOnce) // a closed socket takes nothing
	n := len(b) - len(s.buf)
	s.buf = nil
	return n
}

// attemptOnce sends what the socket takes.
func (s *rawSink) attemptOnce(fd uintptr) bool {
	s.attemptBytes(fd)
	return true
}

// attemptBytes sends until all is gone or the socket is full.
func (s *rawSink) attemptBytes(fd uintptr) bool {
	for len(s.buf) > 0 {
		n, err := sockcall.Send(fd, s.buf, s.more)
		switch {
		case err == unix.EAGAIN:
			return false
		case err != nil:
			s.err = err
			return true
		default:
			s.buf = s.buf[n:]
		}
	}
	return true
}

func (s *rawSink) file(fd uintptr, off int64, n int, step func()) error {
	s.fd, s.off, s.left, s.step, s.err = int(fd), off, n, step, nil
	err := s.rc.Write(s.tryFile)
	s.step = nil
	if err != nil {
		return err
	}
	return s.err
}

// attemptFile sends until all is gone or the socket is full.
func (s *rawSink) attemptFile(fd uintptr) bool {
	for s.left > 0 {
		n, err := unix.Sendfile(int(fd), s.fd, &s.off, min(s.left, sendStep))
		switch {
		case err == unix.EAGAIN:
			return false
		case err == unix.EINTR:
		case err != nil:
			s.err = err
			return true
		case n == 0:
			s.err = io.ErrUnexpectedEOF // the file is shorter than the log said
			return true
		default:
			s.left -= n
			s.step()
		}
	}
	return true
}

// tuneTimeout bounds how long sent bytes may go unacknowledged: keep-alive
// does not run while there are any.
func tuneTimeout(tc *net.TCPConn) {
	rc, err := tc.SyscallConn()
	if err != nil {
		return
	}
	_ = rc.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 60_000)
	})
}
