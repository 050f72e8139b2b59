package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// dialTime bounds making a connection to a node, over all its addresses; a
// single address gets oneDial, so that one that is silent leaves time for the
// next.
const (
	dialTime = 6 * time.Second
	oneDial  = 2 * time.Second
)

var errNoAddress = errors.New("no address of it is known")

// open makes a connection to a node and hears that it is welcome.
func (p *Pool) open(ctx context.Context, node int32, proto string) (*Conn, error) {
	id, err := p.o.Identity()
	if err != nil {
		return nil, err
	}
	addrs := p.o.Addresses(node)
	if len(addrs) == 0 {
		return nil, errNoAddress
	}
	var errs tries
	for _, addr := range addrs {
		c, err := p.openAt(ctx, id, node, addr, proto)
		if err == nil {
			return c, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", addr, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errs
}

// tries are the failures at the addresses of a node, in one line.
type tries []error

// Error joins them.
func (t tries) Error() string {
	texts := make([]string, len(t))
	for i, err := range t {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap gives them all.
func (t tries) Unwrap() []error { return t }

// openAt tries one address.
func (p *Pool) openAt(ctx context.Context, id *Identity, node int32, addr, proto string) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, oneDial)
	defer cancel()
	nc, err := p.o.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	c, err := greet(ctx, nc, id, node, proto, p.o.Now)
	if err == nil && !stop() {
		err = ctx.Err() // the time ended, and nc with it
	}
	if err != nil {
		stop()
		_ = nc.Close()
		return nil, err
	}
	return c, nil
}

// greet makes a node's connection of nc.
func greet(ctx context.Context, nc net.Conn, id *Identity, node int32, proto string, now func() time.Time) (*Conn, error) {
	tune(nc)
	c := newConn(nc, nil, id.clientConfig(proto, now), true)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, explain(err)
	}
	is, err := id.prove(c.ConnectionState().PeerCertificates, now())
	if err != nil {
		return nil, err
	}
	c.peer = is
	if is.NodeID != node {
		return nil, &Refused{What: "there", Reason: fmt.Sprintf("is node %d, not node %d", is.NodeID, node),
			Advice: "Look at the listeners that the nodes advertise"}
	}
	if err := readVerdict(c); err != nil {
		return nil, explain(err)
	}
	return c, nil
}

// explain makes a sentence of what the other end's TLS says.
func explain(err error) error {
	var notTLS tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &notTLS):
		return &Refused{What: "there", Reason: "is no node of an Ottla cluster: it does not speak TLS", Cause: err}
	case errors.As(err, &alert):
		return &Refused{What: "the node there", Reason: "does not take this node's certificate; its log says why", Cause: err}
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return &Refused{What: "the node there", Reason: "does not take this node's certificate; its log says why", Cause: err}
	}
	return err
}
