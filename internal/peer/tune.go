package peer

import (
	"net"
	"time"
)

// How soon an end that is gone without a word is noticed: with the probe after
// 9 s when the connection is quiet, and with the first try after unackedFor when
// something was sent. Linux gives up at a probe that finds unackedFor over, so it
// is below the last of them.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 3 * time.Second, Interval: 2 * time.Second, Count: 3}

const unackedFor = 8 * time.Second

// tune asks the kernel to notice half-open connections.
func tune(nc net.Conn) {
	tc, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	_ = tc.SetKeepAliveConfig(keepAlive) // a socket that cannot is noticed by heartbeats
	tuneUnacked(tc)
}
