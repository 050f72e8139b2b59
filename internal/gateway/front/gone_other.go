//go:build !unix

package front

import "net"

// gone cannot be told here without waiting; who serves the poll finds out.
func gone(net.Conn) bool { return false }
