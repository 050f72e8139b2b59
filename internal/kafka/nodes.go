package kafka

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// ServeNode serves Kafka's protocol to a node of this cluster, whose identity
// the caller has checked, until the connection is over. It is outside all
// limits for clients and never idle. With calls, its requests have nothing to
// do with each other: those of codec handlers are handled side by side, and
// all are answered as they get done.
func (d *Door) ServeNode(nc net.Conn, node int32, calls bool) {
	c, err := d.admit(nc, Listener{}, node)
	if err != nil {
		d.say("connection of a node refused", slog.Int("node", int(node)), slog.Any("err", errors.Join(err, nc.Close())))
		return
	}
	if calls {
		c.info.Calls = true
		c.calls = newCalls(d.ctx)
	}
	c.serve()
}

// ServePuller is ServeNode for a follower that does nothing but fetch: anything
// else is refused. The connection may be in the clear, so that its records leave by
// sendfile; what is asked on it must not be more than a client could do.
func (d *Door) ServePuller(nc net.Conn, node int32) {
	c, err := d.admit(nc, Listener{}, node)
	if err != nil {
		d.say("connection of a node refused", slog.Int("node", int(node)), slog.Any("err", errors.Join(err, nc.Close())))
		return
	}
	c.pulls = true
	c.serve()
}

// mayPull tells whether a request is one of those that a follower's connection is
// for.
func mayPull(key int16) bool { return key == wire.KeyFetch || key == own.KeyReplicaProgress }

// handOver gives a connection that begins with TLS to those who know nodes. It
// counts as a client's no longer.
func (c *conn) handOver() {
	first := bytes.Clone(c.in.have())
	c.in.release()
	c.door.leave(c)
	c.door.o.Nodes(c.nc, first)
}

// refuseStranger answers a request that only nodes may make.
func (c *conn) refuseStranger(r *row, size int) error {
	c.door.m.failed(r)
	c.door.say("a request that only nodes of the cluster may make was refused", slog.String("remote", c.remote()),
		slog.String("client", c.info.ClientID), slog.String("api", r.name))
	req, err := api.Decode(c.req.Key, c.req.Version, c.req.Body)
	if err != nil {
		return err
	}
	resp, err := r.refuse(req)
	if err != nil {
		return err
	}
	resp.SetVersion(c.req.Version)
	a := &codecAnswer{head: c.req.Header, resp: resp}
	a.Ready()
	c.park(slot{answer: a, row: r, size: size, received: c.req.Received})
	return nil
}

// refuse is the answer to a stranger's request.
func (r *row) refuse(req kmsg.Request) (kmsg.Response, error) {
	if r.Refusal != nil {
		return r.Refusal(req, wire.ClusterAuthorizationFailed), nil
	}
	return errorAnswer(req, wire.ClusterAuthorizationFailed)
}

// Clients have all the places that max.connections gives, and nodes must get in
// all the same. Whether a connection beyond the limit is a node's shows in its
// first byte: until that came it knocks.
const (
	// maxKnocking is how many may knock at a time; the one that has been silent
	// longest makes room, so that silence does not keep nodes out.
	maxKnocking = 64
	knockTime   = 10 * time.Second
)

// knock waits for the first bytes of a connection that would be refused for
// why; false when it is not about limits.
func (d *Door) knock(nc net.Conn, why error) bool {
	if !errors.Is(why, errTooMany) && !errors.Is(why, errTooManyIP) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	if len(d.knocking) >= maxKnocking {
		_ = d.knocking[0].Close() // its reader turns it away
		d.knocking = d.knocking[1:]
	}
	d.knocking = append(d.knocking, nc)
	d.wg.Go(func() { d.open(nc, why) })
	return true
}

// open lets a node in and turns everybody else away.
func (d *Door) open(nc net.Conn, why error) {
	first := make([]byte, 5) // as many as wire.Foreign needs
	_ = nc.SetReadDeadline(time.Now().Add(knockTime))
	_, err := io.ReadFull(nc, first)
	d.mu.Lock()
	d.knocking = slices.DeleteFunc(d.knocking, func(other net.Conn) bool { return other == nc })
	d.mu.Unlock()
	if err != nil || wire.Foreign(first) != "TLS" {
		d.turnAway(nc, why)
		return
	}
	_ = nc.SetReadDeadline(time.Time{})
	d.o.Nodes(nc, first)
}
