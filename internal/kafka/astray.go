package kafka

import "errors"

// A node that is cut off from the others tells its clients that it leads, and clients
// ask the node that they are connected to: they would come back to it for as long as
// the cut lasts. So one that asks again ends its connection: the client then asks
// another node, as every client does whose connection was reset, and comes back where
// there is none. A new connection is answered once, so that who has nobody else to go
// to can read what this node has.
var errAstray = errors.New("this node is cut off from the others: its client is sent to them")

// astray tells whether a client that asks which node to go to is sent off.
func (c *conn) astray() bool {
	again := c.asked
	c.asked = true
	return again && c.info.Node < 0 && c.door.o.Mute != nil && c.door.o.Mute()
}
