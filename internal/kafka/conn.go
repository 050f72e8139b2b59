package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// conn is one connection. Its reader goroutine runs serve; see the package's
// doc for who writes.
type conn struct {
	door *Door
	nc   net.Conn
	ip   string // counted under, empty inside the process
	as   Listener
	info api.Conn
	in   inbox
	out  output
	req  api.Request // of the reader; reused, since Serve only borrows it
	// calls is there when a node's requests are handled side by side.
	calls *calls
	pulls bool // it is for fetches of a replica alone
	asked bool // which node to go to; of the reader

	lastActive   atomic.Int64 // door clock: when a request last came or a large one moved on
	writingSince atomic.Int64 // door clock: since when the client has taken no byte; 0 not writing
	parting      atomic.Bool  // no more is read, see settle; set before mu is taken to wait

	asQueue  api.Queue // the connection itself, as tickets point to it
	flushFn  func()    // flushAlone, bound once: starting it allocates nothing
	obligeFn func()    // flushObliging, bound once
	movedFn  func()    // moved, bound once

	mu       sync.Mutex // guards all below; a leaf
	changed  sync.Cond  // room in the queue, the writing role given up, closed
	queue    ring
	flushing bool // someone has the writing role
	handling bool // the reader is inside a handler
	closed   bool
	why      error
	closers  map[any]func() // see api.Conn.AtClose
}

// newConn prepares a connection; serve runs it.
func newConn(d *Door, nc net.Conn, ip string, as Listener) *conn {
	if as.Name == "" {
		as.Name = "PLAINTEXT"
	}
	c := &conn{door: d, nc: nc, ip: ip, as: as}
	c.changed.L = &c.mu
	c.asQueue = c
	c.flushFn, c.obligeFn, c.movedFn = c.flushAlone, c.flushObliging, c.moved
	c.info = api.Conn{
		ID: d.nextID.Add(1), Remote: nc.RemoteAddr(), Local: nc.LocalAddr(), Listener: as.Name,
		Advertised: func(id int32) (string, int32) { return d.advertised(c, id) },
		Waiting:    c.waiting,
	}
	c.info.AtClose, c.info.Parting = c.atClose, c.parting.Load
	c.in = inbox{src: newSource(nc), limit: d.limits.frame}
	c.out = newOutput(c)
	c.lastActive.Store(d.clock())
	return c
}

// serve reads requests and handles them until the connection ends.
func (c *conn) serve() {
	err := c.readLoop()
	if err == errNode {
		c.handOver()
		return
	}
	defer c.door.leave(c)
	defer c.finish()
	if errors.Is(err, os.ErrDeadlineExceeded) && c.door.isClosed() {
		err = c.settle()
	}
	c.close(err)
	switch {
	case c.why == nil || errors.Is(c.why, io.EOF) || errors.Is(c.why, net.ErrClosed) || errors.Is(c.why, ErrClosed):
	case errors.Is(c.why, errIdle) || errors.Is(c.why, errCut) || errors.Is(c.why, errHeld) || errors.Is(c.why, errAstray) || isReset(c.why):
		c.door.log.Debug("connection closed", "remote", c.remote(), "client", c.info.ClientID, "err", c.why)
	default:
		c.door.say("connection closed", slog.String("remote", c.remote()), slog.String("client", c.info.ClientID), slog.Any("err", c.why))
	}
}

// remote is the peer's address for the log.
func (c *conn) remote() string {
	if c.info.Remote == nil {
		return ""
	}
	return c.info.Remote.String()
}

// readLoop is the reader. A panic of a handler ends this connection alone.
func (c *conn) readLoop() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = c.panicked(r, about(&c.req.Header, c.info.ClientID)...)
		}
	}()
	for first := true; ; first = false {
		if first {
			if err := c.greet(); err != nil {
				return err
			}
		}
		frame, ok, err := c.in.frame()
		if err != nil {
			return err
		}
		if !ok {
			c.flushInline() // before waiting: what is ready leaves in one write
			progress, err := c.in.fill()
			if err != nil {
				return err
			}
			if progress {
				c.lastActive.Store(c.door.clock())
			}
			continue
		}
		c.lastActive.Store(c.door.clock())
		if err := c.dispatch(frame); err != nil {
			return err
		}
	}
}

// panicked counts and logs a panic and turns it into an error; about are pairs
// for the log.
func (c *conn) panicked(r any, about ...any) error {
	c.door.m.panics()
	c.door.log.Error("a handler panicked; its connection is closed",
		append(about, "remote", c.remote(), "err", fmt.Sprint(r), "stack", string(debug.Stack()))...)
	return fmt.Errorf("a handler panicked: %v", r)
}

// about is what the log says of a request.
func about(h *wire.Header, client string) []any {
	return []any{"client", client, "api", h.Key, "version", h.Version, "corr", h.CorrelationID}
}

// close ends the connection from any goroutine; the first reason is kept.
func (c *conn) close(why error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed, c.why = true, why
	c.mu.Unlock()
	c.changed.Broadcast()
	_ = c.nc.Close() // reader and writer notice; there is nobody else to tell
}

// finish waits for the writer, then drops the answers that will not be sent.
func (c *conn) finish() {
	c.mu.Lock()
	for c.flushing {
		c.changed.Wait()
	}
	c.mu.Unlock()
	c.calls.end()
	for {
		s, ok := c.pop()
		if !ok {
			break
		}
		s.answer.Place().Enter(nil)
		s.answer.Drop()
	}
	c.in.release()
	c.mu.Lock()
	closers := c.closers
	c.closers = nil
	if errors.Is(c.why, ErrClosed) {
		closers = nil // the node stops: nothing that they would do lasts
	}
	c.mu.Unlock()
	for _, fn := range closers {
		fn()
	}
}

// atClose implements api.Conn.AtClose.
func (c *conn) atClose(key any, fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closers == nil {
		c.closers = map[any]func(){}
	}
	c.closers[key] = fn
}

// ctx is what handlers run under.
func (c *conn) ctx() context.Context { return c.door.ctx }
