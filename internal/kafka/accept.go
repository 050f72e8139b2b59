package kafka

import (
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"ottla/internal/kafka/pipe"
)

// accept runs a listener's loop. Errors that pass (no descriptor left) are
// waited out with growing pauses.
func (d *Door) accept(l net.Listener, as Listener) error {
	pause := time.Duration(0)
	for {
		nc, err := l.Accept()
		if err != nil {
			if d.isClosed() || errors.Is(err, net.ErrClosed) {
				return err
			}
			pause = min(max(5*time.Millisecond, 2*pause), time.Second)
			d.say("cannot accept connections", slog.Any("err", err), slog.Duration("dur", pause))
			select {
			case <-time.After(pause):
			case <-d.quit:
			}
			continue
		}
		pause = 0
		d.tune(nc)
		c, err := d.admit(nc, as, -1)
		if err != nil {
			if d.o.Nodes == nil || !d.knock(nc, err) {
				d.turnAway(nc, err)
			}
			continue
		}
		go c.serve()
	}
}

// tune asks the kernel to notice peers that are gone: about 45 s when quiet,
// see tuneTimeout for when an answer is under way. It also sizes the buffers.
func (d *Door) tune(nc net.Conn) {
	tc, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	_ = tc.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 10 * time.Second, Count: 3})
	tuneTimeout(tc)
	d.buffers.tune(tc)
}

// What an arriving connection may be refused for.
var (
	errTooMany   = errors.New("max.connections is reached")
	errTooManyIP = errors.New("max.connections.per.ip is reached for this address")
)

// turnAway refuses a connection that was accepted.
func (d *Door) turnAway(nc net.Conn, why error) {
	d.m.refused()
	d.say("connection refused", slog.String("remote", nc.RemoteAddr().String()), slog.Any("err", why))
	_ = nc.Close() // nothing was sent, nothing can be lost
}

// admit counts a connection in, or says why not. Limits are for clients; node
// is -1 for them.
func (d *Door) admit(nc net.Conn, as Listener, node int32) (*conn, error) {
	ip := ""
	if node < 0 {
		ip = remoteIP(nc)
	}
	total := d.setting("max.connections")
	perIP := d.perIPLimit(ip)
	c := newConn(d, nc, ip, as)
	c.info.Node = node
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, ErrClosed
	case d.refusing.Load():
		return nil, errRefusing
	case ip == "":
	case int64(d.clients) >= total:
		return nil, errTooMany
	case int64(d.perIP[ip]) >= perIP:
		return nil, errTooManyIP
	}
	if ip != "" {
		d.perIP[ip]++
	}
	if node < 0 {
		d.clients++
	}
	d.conns[c] = struct{}{}
	d.wg.Add(1)
	if !d.sweeping {
		d.sweeping = true
		d.wg.Add(1)
		go d.sweepLoop()
	}
	d.m.connections(1)
	return c, nil
}

// leave counts a connection out.
func (d *Door) leave(c *conn) {
	d.mu.Lock()
	delete(d.conns, c)
	if c.info.Node < 0 {
		d.clients--
	}
	if c.ip != "" {
		if d.perIP[c.ip]--; d.perIP[c.ip] == 0 {
			delete(d.perIP, c.ip)
		}
	}
	d.mu.Unlock()
	select {
	case d.left <- struct{}{}:
	default: // told already
	}
	d.m.connections(-1)
	d.wg.Done()
}

// remoteIP is the peer's address without port, empty inside the process.
func remoteIP(nc net.Conn) string {
	addr := nc.RemoteAddr()
	if addr == nil || addr.Network() == pipe.Addr("").Network() {
		return ""
	}
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.IP.String()
	}
	return addr.String()
}

// perIPLimit is max.connections.per.ip, or its override for the address
// (max.connections.per.ip.overrides, "host:count,…").
func (d *Door) perIPLimit(ip string) int64 {
	image := d.o.Cluster.Image()
	for item := range strings.SplitSeq(d.o.View.String(image, "max.connections.per.ip.overrides"), ",") {
		host, count, ok := cutLast(strings.TrimSpace(item), ':')
		if n, err := strconv.ParseInt(count, 10, 64); ok && err == nil && host == ip {
			return n
		}
	}
	return d.o.View.Int(image, "max.connections.per.ip")
}

// cutLast cuts at the last sep, since an IPv6 address has colons of its own.
func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// isClosed tells whether Close was called.
func (d *Door) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}
