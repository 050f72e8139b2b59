package kafka

import (
	"fmt"
	"net"

	"ottla/internal/kafka/slab"
	"ottla/internal/log"
)

// sink is how bytes leave.
type sink interface {
	// bytes writes all of b; more says that something follows at once.
	bytes(b []byte, more bool) error
	// try writes what can be written without waiting, and tells how much that is.
	try(b []byte) int
	// file sends n bytes of a descriptor from off on; step is called whenever
	// some have left. It is asked for only when files says so.
	file(fd uintptr, off int64, n int, step func()) error
	files() bool
}

// plainSink writes to any connection.
type plainSink struct {
	nc   net.Conn
	more moreWriter // nil when every Write leaves at once
}

// moreWriter is a connection that can hold bytes back until the next Write
// (peer.Conn).
type moreWriter interface{ WriteMore(b []byte) (int, error) }

func newPlainSink(nc net.Conn) *plainSink {
	more, _ := nc.(moreWriter)
	return &plainSink{nc, more}
}

func (s *plainSink) bytes(b []byte, more bool) error {
	write := s.nc.Write
	if more && s.more != nil {
		write = s.more.WriteMore
	}
	_, err := write(b)
	return err
}

func (s *plainSink) try([]byte) int { return 0 }

func (s *plainSink) file(uintptr, int64, int, func()) error { return net.ErrClosed }
func (s *plainSink) files() bool                            { return false }

// newOutput prepares the writing side.
func newOutput(c *conn) output { return output{sink: newSink(c.nc)} }

// copyStep is how much of a slice is in memory at a time where it cannot leave
// by sendfile.
const copyStep = 256 << 10

// sendSlice sends a slice of a segment: by sendfile where connection and file
// can, else through a slab.
func (c *conn) sendSlice(s *log.Slice, more bool) error {
	c.writingSince.Store(max(1, c.door.clock()))
	defer c.writingSince.Store(0)
	if fd, off, ok := s.Fd(); ok && c.out.sink.files() {
		if err := c.out.sink.file(fd, off, s.Len, c.movedFn); err != nil {
			return fmt.Errorf("send %d bytes of a segment: %w", s.Len, err)
		}
		c.door.m.sent(s.Len)
		return nil
	}
	buf := slab.Get(min(s.Len, copyStep))
	defer slab.Put(buf)
	for at := 0; at < s.Len; {
		b := buf.B[:min(len(buf.B), s.Len-at)]
		if _, err := s.ReadAt(b, int64(at)); err != nil {
			return fmt.Errorf("read %d bytes of a segment: %w", len(b), err)
		}
		at += len(b)
		if err := c.out.sink.bytes(b, more || at < s.Len); err != nil {
			return fmt.Errorf("write an answer: %w", err)
		}
		c.moved()
	}
	c.door.m.sent(s.Len)
	return nil
}

// moved notes that the client takes bytes.
func (c *conn) moved() { c.writingSince.Store(max(1, c.door.clock())) }
