package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// PoolOptions make a Pool.
type PoolOptions struct {
	// Identity gives this node's identity; it is asked when the first
	// connection is made.
	Identity func() (*Identity, error)
	// Addresses are where a node may be reached, the best first; none when it
	// is not known.
	Addresses func(node int32) []string
	// Dial makes connections; net.Dialer's when nil.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Now is the clock of certificates and of pauses after failures;
	// time.Now when nil.
	Now    func() time.Time
	Logger *slog.Logger
	// Insecure has Pull ask for connections in the clear.
	Insecure bool
	// OnUp and OnDown are told when the shared connection to a node was made,
	// and when it ended, in that order for each connection. They must not wait.
	OnUp   func(node int32)
	OnDown func(node int32, why error)
}

// Pool is this node's way to the others: to each one shared connection for
// calls, one for the quorum's frames, and connections of their own for those
// who ask. Connections are made when they are first needed, and a pool that
// nobody uses costs nothing. Its methods may be called from any goroutine.
type Pool struct {
	o      PoolOptions
	ctx    context.Context // of dialling; cancelled by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // readers, writers, diallers

	mu       sync.Mutex // guards all below; a leaf
	closed   bool
	links    map[int32]*link
	channels map[int32]*channel
}

// NewPool makes a pool.
func NewPool(o PoolOptions) *Pool {
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnUp == nil {
		o.OnUp = func(int32) {}
	}
	if o.OnDown == nil {
		o.OnDown = func(int32, error) {}
	}
	p := &Pool{o: o, links: map[int32]*link{}, channels: map[int32]*channel{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// Start sends a request to a node over the shared connection, in the highest
// version that both know, and calls done once with the answer or an error:
// ctx's, NETWORK_EXCEPTION when there is no connection or it ended before the
// answer (errors.Is ErrNotSent tells that the request certainly never left), or
// UNSUPPORTED_VERSION. A request without an answer (own.Unanswered) is done,
// with nil and nil, when it was written.
//
// Start does not wait and makes no goroutine for the call. done may be called
// before Start returns, or from any goroutine later; it must not wait. The
// request belongs to the pool until done; the answer is the caller's.
//
// Requests leave in the order of Start. The other end handles them side by
// side and answers as they get done.
func (p *Pool) Start(ctx context.Context, node int32, req kmsg.Request, done func(kmsg.Response, error)) {
	c := &call{node: node, req: req, done: done}
	if err := ctx.Err(); err != nil {
		c.settle(nil, err)
		return
	}
	l, err := p.link(node)
	if err != nil {
		c.settle(nil, err)
		return
	}
	if ctx.Done() != nil {
		c.forget = context.AfterFunc(ctx, func() { c.expire(ctx.Err()) })
	}
	l.start(c)
}

// Call is Start for those who wait.
func (p *Pool) Call(ctx context.Context, node int32, req kmsg.Request) (kmsg.Response, error) {
	type outcome struct {
		resp kmsg.Response
		err  error
	}
	got := make(chan outcome, 1)
	p.Start(ctx, node, req, func(resp kmsg.Response, err error) { got <- outcome{resp, err} })
	o := <-got
	return o.resp, o.err
}

// Open makes a connection of the caller's own, on which it speaks Kafka's
// protocol as this node: requests are answered in order. The caller closes it.
func (p *Pool) Open(ctx context.Context, node int32) (net.Conn, error) {
	c, err := p.open(ctx, node, protoKafka)
	if err != nil {
		return nil, unreachable(node, err)
	}
	return c, nil
}

// Pull is Open for a follower, which does nothing but fetch. Where both nodes are
// insecure, as they are where clients reach them without TLS, the connection is in
// the clear once both ends have shown who they are.
func (p *Pool) Pull(ctx context.Context, node int32) (net.Conn, error) {
	if !p.o.Insecure {
		return p.Open(ctx, node)
	}
	c, err := p.open(ctx, node, protoPull, protoKafka)
	if err != nil {
		return nil, unreachable(node, err)
	}
	if c.ConnectionState().NegotiatedProtocol != protoPull {
		return c, nil
	}
	under, err := c.clear()
	if err != nil {
		return nil, unreachable(node, errors.Join(err, c.Close()))
	}
	return under.Conn, nil
}

// Probe makes a connection to a node and ends it again: nil says that a
// process with the node's identity answers at one of its addresses. There it is no
// connection that has ended: two nodes that have no other would probe each other
// for ever.
func (p *Pool) Probe(ctx context.Context, node int32) error {
	c, err := p.open(ctx, node, protoProbe)
	if err != nil {
		return unreachable(node, err)
	}
	return c.Close()
}

// Post sends a frame to a node on the quorum's channel. It never waits: a frame is
// dropped when the channel is full, or when a whole try to make its connection comes to
// nothing. The frame is copied.
func (p *Pool) Post(node int32, frame []byte) {
	p.mu.Lock()
	ch := p.channels[node]
	if ch == nil && !p.closed {
		ch = &channel{pool: p, node: node, wake: make(chan struct{}, 1)}
		p.channels[node] = ch
	}
	p.mu.Unlock()
	if ch != nil {
		ch.post(frame)
	}
}

// Close ends all connections. Calls that wait fail; it returns when no
// goroutine of the pool is left.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	links, channels := p.links, p.channels
	p.links, p.channels = nil, nil
	p.mu.Unlock()
	p.cancel()
	for _, l := range links {
		l.close()
	}
	for _, ch := range channels {
		ch.close()
	}
	p.wg.Wait()
}

// Cut ends all shared connections and channels now, as a broken network does;
// they are made again when they are needed.
func (p *Pool) Cut() {
	p.mu.Lock()
	links := slices.Collect(maps.Values(p.links))
	channels := slices.Collect(maps.Values(p.channels))
	p.mu.Unlock()
	for _, l := range links {
		l.cut()
	}
	for _, ch := range channels {
		ch.cut()
	}
}

// link is the shared connection to a node, made or not.
func (p *Pool) link(node int32) (*link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, notSent(node, ErrClosed)
	}
	l := p.links[node]
	if l == nil {
		l = newLink(p, node)
		p.links[node] = l
	}
	return l, nil
}

// begin counts a goroutine of the pool in; false when it was closed.
func (p *Pool) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wg.Add(1)
	return true
}

// clientID is what requests between nodes say of who sends them.
func clientID(node int32) string { return "node-" + strconv.Itoa(int(node)) }

// unreachable says that there is no connection; nothing was sent.
func unreachable(node int32, cause error) error {
	return wire.Errorf(wire.NetworkException, "node %d cannot be reached: %w", node, cause)
}

// dialTime bounds making a connection to a node, over all its addresses; a
// single address gets oneDial, so that one that is silent leaves time for the
// next.
const (
	dialTime = 6 * time.Second
	oneDial  = 2 * time.Second
	// dialAgain is when another connection is begun beside one that has come to
	// nothing yet: a first packet that was lost is sent again after a second only,
	// and a cut that ends just then would last that much longer.
	dialAgain = 300 * time.Millisecond
)

var errNoAddress = errors.New("no address of it is known")

// open makes a connection to a node and hears that it is welcome.
func (p *Pool) open(ctx context.Context, node int32, protos ...string) (*Conn, error) {
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
		c, err := p.openAt(ctx, id, node, addr, protos)
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
func (p *Pool) openAt(ctx context.Context, id *Identity, node int32, addr string, protos []string) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, oneDial)
	defer cancel()
	nc, err := p.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	c, err := greet(ctx, nc, id, node, protos, p.o.Now)
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

// dial makes a connection to an address: the first of those that it begins, one
// every dialAgain, until one comes about or is refused.
func (p *Pool) dial(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	type dialled struct {
		nc  net.Conn
		err error
	}
	first, over := make(chan dialled), make(chan struct{})
	var dials sync.WaitGroup
	defer dials.Wait()
	defer cancel()
	defer close(over)
	again := time.NewTicker(dialAgain)
	defer again.Stop()
	for {
		dials.Go(func() {
			nc, err := p.o.Dial(ctx, "tcp", addr)
			select {
			case first <- dialled{nc, err}:
			case <-over: // another one was first
				if err == nil {
					_ = nc.Close()
				}
			}
		})
		select {
		case d := <-first:
			return d.nc, d.err
		case <-again.C:
		}
	}
}

// greet makes a node's connection of nc.
func greet(ctx context.Context, nc net.Conn, id *Identity, node int32, protos []string, now func() time.Time) (*Conn, error) {
	unacked := unackedFor
	if protos[0] == protoRaft {
		unacked = unheardFor
	}
	tune(nc, unacked)
	c := newConn(nc, nil, id.clientConfig(protos, now), true)
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

// ErrNotSent says of a failed call that its request certainly never left this
// node, so that it may be sent to another one.
var ErrNotSent = errors.New("the request was not sent")

// call is a request and who waits for its answer.
type call struct {
	node    int32
	req     kmsg.Request
	done    func(kmsg.Response, error)
	forget  func() bool // ends the watch over its context; may be nil
	settled atomic.Bool
	corr    int32
	sent    bool // its bytes were given to the connection; of the link's lock
}

// settle calls done, the first time.
func (c *call) settle(resp kmsg.Response, err error) {
	if c.settled.Swap(true) {
		return
	}
	if c.forget != nil {
		c.forget()
	}
	c.done(resp, err)
}

// expire settles the call when its context has ended. It may run before Start
// has noted forget.
func (c *call) expire(err error) {
	if !c.settled.Swap(true) {
		c.done(nil, err)
	}
}

// notSent is the error of a call whose request never left.
func notSent(node int32, cause error) error {
	return wire.Errorf(wire.NetworkException, "node %d cannot be reached: %w", node, unsent{cause})
}

// unsent marks the cause of a failed call as ErrNotSent.
type unsent struct{ cause error }

// Error is the cause's text: it says enough.
func (u unsent) Error() string { return u.cause.Error() }

// Unwrap gives the cause, Is tells that it is ErrNotSent too.
func (u unsent) Unwrap() error { return u.cause }

func (u unsent) Is(target error) bool { return target == ErrNotSent }

// lost is the error of a call whose connection ended before the answer.
func lost(node int32, cause error) error {
	return wire.Errorf(wire.NetworkException, "the connection to node %d ended before its answer: %w", node, cause)
}
