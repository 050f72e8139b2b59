//go:build !linux

package kafka

import "net"

// newSink writes as any net.Conn does.
func newSink(nc net.Conn) sink { return newPlainSink(nc) }

// tuneTimeout has no counterpart here; keep-alive and the sweeper remain.
func tuneTimeout(*net.TCPConn) {}
