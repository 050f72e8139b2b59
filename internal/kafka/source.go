package kafka

import (
	"errors"
	"net"
	"syscall"

	"ottla/internal/kafka/slab"
)

// waiter is a connection that can wait without a buffer (pipe.Conn).
type waiter interface{ WaitReadable() error }

// waitSource reads such a connection.
type waitSource struct {
	nc net.Conn
	w  waiter
}

// read implements source.
func (s *waitSource) read(in *inbox) (int, error) {
	in.idle()
	if err := s.w.WaitReadable(); err != nil {
		return 0, err
	}
	return s.nc.Read(in.room())
}

// plainSource reads any other connection, waiting with the smallest slab.
type plainSource struct{ nc net.Conn }

// read implements source.
func (s *plainSource) read(in *inbox) (int, error) {
	if in.w == in.r {
		in.release()
		in.slab = slab.Get(slab.Min)
		return s.nc.Read(in.slab.B)
	}
	return s.nc.Read(in.room())
}

// isReset tells whether the peer tore the connection down, which is its right.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
