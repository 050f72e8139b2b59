package quorum

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

const (
	// mailboxSize bounds the commands that wait; a caller beyond it waits for
	// a place, as long as its context lets it.
	mailboxSize = 1024
	// turnSize bounds the commands that share a write, so that replies do not
	// wait for an endless turn.
	turnSize = 256
	// inboxSize and inboxBytes bound the frames that wait; what comes on top is
	// dropped, which Raft mends.
	inboxSize  = 1024
	inboxBytes = 64 << 20
	// handOver bounds how long a leader that stops waits for its successor.
	handOver = time.Second
)

// Node is this node's part of the metadata quorum (a quorum of one runs the
// same code as three). Its methods may be called from any goroutine.
type Node struct {
	o         Options
	member    *member // owned by run, once started
	mailbox   chan request
	inbox     chan letter
	calls     chan func(*member)
	snapshots chan written
	image     atomic.Pointer[metadata.Image]
	status    atomic.Pointer[Status]
	members   atomic.Pointer[[]Member]
	shown     *voterSet       // what members was made of; owned by run
	waiting   atomic.Int64    // bytes in inbox
	resigning []chan struct{} // closed when another leads; owned by run

	mu      sync.Mutex // guards started and closed
	started bool
	closed  bool
	stop    chan struct{}
	done    chan struct{} // closed when run has returned
	writing sync.WaitGroup
}

// written is a snapshot's end.
type written struct {
	meta snapshotMeta
	err  error
}

// errClosed answers commands of a node that was closed.
var errClosed = wire.Errorf(wire.NotController, "the metadata quorum is closed")

// Open recovers the metadata log, or founds a quorum of one where there is
// none, or begins to wait for one to take this node in (Options.Joining). A log that is damaged, or contradicts itself, is an error that says
// what it is; it is never taken for an empty one.
func Open(o Options) (*Node, error) {
	o.fill()
	n := &Node{o: o, mailbox: make(chan request, mailboxSize), inbox: make(chan letter, inboxSize), calls: make(chan func(*member)),
		snapshots: make(chan written, 1),
		stop:      make(chan struct{}), done: make(chan struct{})}
	m, err := openMember(&n.o, &n.image)
	if err != nil {
		return nil, err
	}
	m.inBackground = n.writeSnapshot
	n.member = m
	n.members.Store(&[]Member{})
	n.show()
	return n, nil
}

// Start runs it until Close; a quorum of one leads when Start returns, within
// milliseconds. ctx bounds the wait for that alone.
func (n *Node) Start(ctx context.Context) error {
	n.mu.Lock()
	if n.started || n.closed {
		n.mu.Unlock()
		return errors.New("the metadata quorum was started or closed before")
	}
	n.started = true
	n.mu.Unlock()
	ready := make(chan error, 1)
	go n.run(ready)
	select {
	case err := <-ready:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Do gives the machine a command and returns its reply once its records are
// committed (synced on a majority) and OnImage has run for them. On a node
// that does not lead it fails with NOT_CONTROLLER, and NotLeading in the chain.
// When ctx ends first the command may still be carried out.
func (n *Node) Do(ctx context.Context, cmd any) (any, error) {
	r := n.do(ctx, cmd)
	return r.reply, r.err
}

// DoAt is Do, and tells the offset of the metadata that the reply rests on: at
// a node whose image has reached it, the reply holds.
func (n *Node) DoAt(ctx context.Context, cmd any) (reply any, offset int64, err error) {
	r := n.do(ctx, cmd)
	return r.reply, r.offset, r.err
}

func (n *Node) do(ctx context.Context, cmd any) result {
	to := make(chan result, 1)
	select {
	case n.mailbox <- request{cmd, to}:
	case <-ctx.Done():
		return result{err: ctx.Err()}
	case <-n.done:
		return result{err: errClosed}
	}
	return n.await(ctx, to)
}

// await waits for an answer that run gives.
func (n *Node) await(ctx context.Context, to <-chan result) result {
	select {
	case r := <-to:
		return r
	case <-ctx.Done():
		return result{err: ctx.Err()}
	case <-n.done:
		// run answers all it took; what it did not take nobody will.
		select {
		case r := <-to:
			return r
		default:
			return result{err: errClosed}
		}
	}
}

// Image is the newest committed image; never nil after Open.
func (n *Node) Image() *metadata.Image { return n.image.Load() }

// Close stops it and leaves no goroutine. Commands that wait are refused.
func (n *Node) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		<-n.done
		return nil
	}
	n.closed = true
	started := n.started
	n.mu.Unlock()
	close(n.stop)
	if !started {
		close(n.done)
	}
	<-n.done
	n.writing.Wait()
	return n.member.close()
}

// run is the owner of the member.
func (n *Node) run(ready chan<- error) {
	defer close(n.done)
	m := n.member
	if !m.waiting {
		n.o.OnImage(m.image, m.image.AsDelta())
	}
	err := m.campaign(n.o.Now())
	if err != nil {
		m.lose(err)
	}
	n.show()
	m.tell()
	ready <- err
	n.loop(clock{})
}

// clock ticks while there is somebody else: idle, a quorum of one costs nothing.
type clock struct {
	ticker *time.Ticker
	ticks  <-chan time.Time
}

func (c *clock) run(on bool) {
	switch {
	case on && c.ticker == nil:
		c.ticker = time.NewTicker(tickInterval)
		c.ticks = c.ticker.C
	case !on && c.ticker != nil:
		c.ticker.Stop()
		c.ticker, c.ticks = nil, nil
	}
}

func (n *Node) loop(c clock) {
	m := n.member
	defer func() { c.run(false) }()
	requests := make([]request, 0, turnSize)
	stop := n.stop
	var handed <-chan time.Time // the end of a hand-over
	for {
		c.run(m.ticking())
		select {
		case r := <-n.mailbox:
			requests = n.drain(append(requests[:0], r))
			m.turn(n.o.Now(), requests)
			clear(requests)
		case l := <-n.inbox:
			m.receive(n.o.Now(), n.collect(l))
		case do := <-n.calls:
			do(m)
		case w := <-n.snapshots:
			m.snapshotWritten(w.meta, w.err)
		case <-c.ticks:
			m.tick(n.o.Now())
		case <-stop:
			if stop = nil; m.resign(n.o.Now()) {
				timer := time.NewTimer(handOver)
				defer timer.Stop()
				handed = timer.C
			}
		case <-handed:
			handed = nil
		}
		n.show()
		n.resigned()
		if stop == nil && (handed == nil || m.leader != m.o.NodeID && m.leader >= 0 || m.failed != nil) {
			n.refuseWaiting()
			return
		}
	}
}

// drain takes what else waits in the mailbox, up to a turn.
func (n *Node) drain(requests []request) []request {
	for len(requests) < turnSize {
		select {
		case r := <-n.mailbox:
			requests = append(requests, r)
		default:
			return requests
		}
	}
	return requests
}

// refuseWaiting answers everyone who still waits at the stop.
func (n *Node) refuseWaiting() {
	n.member.abandon(errClosed)
	n.member.release()
	n.member.refuseOrders(errClosed)
	for {
		select {
		case r := <-n.mailbox:
			r.to <- result{err: errClosed}
		default:
			return
		}
	}
}

// writeSnapshot runs a snapshot's writing beside the owner.
func (n *Node) writeSnapshot(write func() error, meta snapshotMeta) {
	n.writing.Add(1)
	go func() {
		defer n.writing.Done()
		n.snapshots <- written{meta, write()} // room for one, and one runs at a time
	}()
}
