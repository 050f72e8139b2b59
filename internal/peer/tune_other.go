//go:build !linux

package peer

import (
	"net"
	"time"
)

// tuneUnacked: other systems give up by their own retransmission limits.
func tuneUnacked(*net.TCPConn, time.Duration) {}
