package kafka

import (
	"net"

	"ottla/internal/config"
)

// buffers are what a connection's socket may hold, in bytes; 0 leaves it to
// the operating system.
//
// Kafka fixes both at 100 KiB unless told otherwise, which holds a reader far
// away to that much in each round trip. Here only what the operator set is
// fixed. A reader on this machine is the exception: between two processes a
// buffer that grows only takes the records out of the processor's cache before
// they are read (a third more CPU for the same bytes, docs/performance.md).
type buffers struct {
	send, receive int // as set: socket.send.buffer.bytes, socket.receive.buffer.bytes
	local         int // send, to a peer on this machine, when it is not set
}

// localSend is big enough that a fetch of a few hundred KB takes one call.
const localSend = 300 << 10

// newBuffers reads the settings; -1 means the operating system's, as in Kafka.
func newBuffers(v *config.View) buffers {
	set := func(name string) (n int, isSet bool) {
		if v.Broker(nil, name).Source == config.SourceDefault {
			return 0, false
		}
		return int(max(0, v.Int(nil, name))), true
	}
	b := buffers{}
	b.receive, _ = set("socket.receive.buffer.bytes")
	send, isSet := set("socket.send.buffer.bytes")
	b.send = send
	if !isSet {
		b.local = localSend
	}
	return b
}

// of tells what to fix for a connection.
func (b buffers) of(tc *net.TCPConn) (send, receive int) {
	if b.local > 0 && sameMachine(tc.LocalAddr(), tc.RemoteAddr()) {
		return b.local, b.receive
	}
	return b.send, b.receive
}

// sameMachine tells whether a connection goes through the loopback device.
func sameMachine(local, remote net.Addr) bool {
	l, ok := local.(*net.TCPAddr)
	r, ok2 := remote.(*net.TCPAddr)
	return ok && ok2 && (r.IP.IsLoopback() || r.IP.Equal(l.IP))
}

// tune sets them; a socket that refuses keeps what it has.
func (b buffers) tune(tc *net.TCPConn) {
	send, receive := b.of(tc)
	if send > 0 {
		_ = tc.SetWriteBuffer(send)
	}
	if receive > 0 {
		_ = tc.SetReadBuffer(receive)
	}
}
