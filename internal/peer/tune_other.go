//go:build !linux

package peer

import "net"

// tuneUnacked: other systems give up by their own retransmission limits.
func tuneUnacked(*net.TCPConn) {}
