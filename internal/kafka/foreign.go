package kafka

import (
	"errors"
	"fmt"

	"ottla/internal/wire"
)

// Who knocks at the wrong door, or at the nodes'.
var (
	errNode = errors.New("a node, by its first byte")
	errTLS  = errors.New("the client speaks TLS, this listener does not: set security.protocol=PLAINTEXT on the client")
	errHTTP = errors.New("the client speaks HTTP, this is the Kafka port")
)

// greet looks at the first bytes of a connection, before any of them is taken
// for a length. Whoever sends fewer than five is not greeted: no request is
// that short.
func (c *conn) greet() error {
	for len(c.in.have()) < 5 {
		if _, err := c.in.fill(); err != nil {
			return err
		}
	}
	switch wire.Foreign(c.in.have()) {
	case "TLS":
		if c.door.o.Nodes != nil && c.info.Node < 0 {
			return errNode
		}
		return errTLS
	case "HTTP":
		c.answerHTTP()
		return errHTTP
	}
	return c.hold()
}

// answerHTTP tells a browser or curl where it is. The reader is the only one
// who writes yet.
func (c *conn) answerHTTP() {
	text := "This is the Kafka port of an Ottla node: it speaks the Kafka protocol, not HTTP.\n"
	if c.door.o.HTTPAddr != "" {
		text += "HTTP is served at http://" + c.door.o.HTTPAddr + "/\n"
	}
	head := fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", len(text))
	_, _ = c.nc.Write([]byte(head + text)) // a courtesy: the connection ends either way
}
