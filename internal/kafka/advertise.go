package kafka

import (
	"net"
	"strconv"

	"ottla/internal/kafka/api"
)

var _ api.Queue = (*conn)(nil)

// advertised is the address that the client of c is told for a node; port -1
// when the node is unknown or has no address for this listener.
func (d *Door) advertised(c *conn, nodeID int32) (string, int32) {
	if nodeID != d.o.NodeID {
		return d.registered(c, nodeID)
	}
	if c.as.AdvertiseHost != "" {
		return c.as.AdvertiseHost, c.as.AdvertisePort
	}
	if c.info.Local == nil {
		return d.registered(c, nodeID)
	}
	if tcp, ok := c.info.Local.(*net.TCPAddr); ok {
		return tcp.IP.String(), int32(tcp.Port)
	}
	host, port, err := net.SplitHostPort(c.info.Local.String())
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil {
		return d.registered(c, nodeID)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost" // a listener on all addresses, asked from inside
	}
	return host, int32(n)
}

// registered is the address in the node's registration, for the listener that
// the client came by.
func (d *Door) registered(c *conn, nodeID int32) (string, int32) {
	b := d.o.Cluster.Image().Broker(nodeID)
	if b == nil {
		return "", -1
	}
	for _, e := range b.Endpoints {
		if e.Name == c.as.Name {
			return e.Host, int32(e.Port)
		}
	}
	return "", -1
}
