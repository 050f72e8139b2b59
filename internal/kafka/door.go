package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/kafka/pipe"
)

// Door serves Kafka's protocol on any number of listeners and connections. Its
// methods may be called from any goroutine.
type Door struct {
	o       Options
	table   *table
	limits  limits
	buffers buffers
	log     *slog.Logger
	began   time.Time // what the connections' clocks count from
	m       *doorMetrics

	noise throttle // for log lines that a client can cause

	ctx    context.Context // of all handlers; cancelled by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // connections, accept loops, the sweeper

	mu        sync.Mutex // guards all below
	closed    bool
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	perIP     map[string]int
	clients   int        // connections that max.connections counts
	knocking  []net.Conn // see knock; oldest first
	sweeping  bool
	quit      chan struct{} // closed first of all
	left      chan struct{} // told when a connection leaves a door that closes

	gate     gate
	refusing atomic.Bool // see Refuse
	nextID   atomic.Uint64
}

// ErrClosed: the door has been closed.
var ErrClosed = errors.New("the Kafka door is closed")

// New makes a door. It fails when two rows claim one key, or a row does not
// fit Kafka's table of versions.
func New(o Options) (*Door, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Door{
		o: o, log: o.Logger, began: o.Now(),
		listeners: map[net.Listener]struct{}{}, conns: map[*conn]struct{}{}, perIP: map[string]int{},
		quit: make(chan struct{}), left: make(chan struct{}, 1),
	}
	table, err := newTable(append([]apiRow{d.apiVersionsRow()}, o.APIs...))
	if err != nil {
		return nil, fmt.Errorf("dispatch table of the Kafka door: %w", err)
	}
	d.table = table
	d.gate.open = make(chan struct{})
	if !o.Hold {
		d.LetIn()
	}
	d.m = newDoorMetrics(o.Metrics, table)
	d.limits = limits{
		frame: int(d.setting("socket.request.max.bytes")),
		idle:  time.Duration(max(0, d.setting("connections.max.idle.ms"))) * time.Millisecond,
	}
	d.buffers = newBuffers(o.View)
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d, nil
}

// Serve is ServeAs with a listener that is named PLAINTEXT and advertises the
// address that each client used.
func (d *Door) Serve(l net.Listener) error { return d.ServeAs(l, Listener{}) }

// ServeAs accepts connections until the listener or the door is closed; Close
// closes the listener. It returns nil after Close, else why it ended.
func (d *Door) ServeAs(l net.Listener, as Listener) error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return errors.Join(ErrClosed, l.Close())
	}
	d.listeners[l] = struct{}{}
	d.wg.Add(1)
	d.mu.Unlock()
	defer d.wg.Done()
	err := d.accept(l, as)
	d.mu.Lock()
	delete(d.listeners, l)
	closed := d.closed
	d.mu.Unlock()
	if closed {
		return nil
	}
	return fmt.Errorf("listener %s: %w", l.Addr(), err)
}

// ServeConn serves one connection and returns when it is over.
func (d *Door) ServeConn(nc net.Conn) error {
	c, err := d.admit(nc, Listener{}, -1)
	if err != nil {
		return errors.Join(err, nc.Close())
	}
	c.serve()
	return nil
}

// Dial opens a connection to this door inside the process.
func (d *Door) Dial() (net.Conn, error) {
	mine, theirs := pipe.New(d.memoryAddr(), pipe.Addr("client"))
	c, err := d.admit(mine, d.o.Memory, -1)
	if err != nil {
		return nil, err
	}
	go c.serve()
	return theirs, nil
}

// memoryAddr is where clients of an in-memory connection are told that this
// node is: at its first listener, for want of another.
func (d *Door) memoryAddr() net.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	for l := range d.listeners {
		return pipe.Addr(l.Addr().String())
	}
	return pipe.Addr("localhost:9092")
}

// Close stops accepting and reading, answers what clients have asked for already (see
// settle), closes every connection and waits for all goroutines of the door, or until
// ctx ends.
func (d *Door) Close(ctx context.Context) error {
	if d.shut() {
		d.settle(ctx)
	}
	d.mu.Lock()
	for c := range d.conns {
		c.close(ErrClosed)
	}
	d.mu.Unlock()
	d.cancel()
	done := make(chan struct{})
	go func() {
		d.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close the Kafka door: %w", ctx.Err())
	}
}

// shut stops accepting, and reading from clients; false when that was done already.
func (d *Door) shut() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.closed = true
	close(d.quit)
	for l := range d.listeners {
		_ = l.Close() // its accept loop ends with whatever error this gives
	}
	for _, nc := range d.knocking {
		_ = nc.Close() // its reader notices
	}
	for c := range d.conns {
		if c.info.Node < 0 {
			_ = c.nc.SetReadDeadline(past) // one that cannot is closed when the time is over
		}
	}
	return true
}

// Connections counts those open.
func (d *Door) Connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.conns)
}

// clock is the door's time in nanoseconds, for the connections' atomics.
func (d *Door) clock() int64 { return int64(d.o.Now().Sub(d.began)) }
