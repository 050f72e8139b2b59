package peer

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// tuneUnacked bounds how long sent bytes may go unacknowledged: keep-alive does
// not run while there are any.
func tuneUnacked(tc *net.TCPConn, limit time.Duration) {
	rc, err := tc.SyscallConn()
	if err != nil {
		return
	}
	_ = rc.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit.Milliseconds()))
	})
}
