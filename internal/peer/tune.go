package peer

import (
	"net"
	"time"
)

// How soon an end that is gone without a word is noticed: within 9 s when the
// connection is quiet, within unackedFor when something was sent.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 3 * time.Second, Interval: 2 * time.Second, Count: 3}

const unackedFor = 10 * time.Second

// tune asks the kernel to notice half-open connections.
func tune(nc net.Conn) {
	tc, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	_ = tc.SetKeepAliveConfig(keepAlive) // a socket that cannot is noticed by heartbeats
	tuneUnacked(tc)
}
