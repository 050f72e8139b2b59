//go:build !unix

package kafka

import "net"

// newSource picks the way of reading.
func newSource(nc net.Conn) source {
	if w, ok := nc.(waiter); ok {
		return &waitSource{nc: nc, w: w}
	}
	return &plainSource{nc}
}
