package replicate

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"ottla/internal/wire/pull"
)

// mostUnderWay is how many fetches may be under way: one that is parked, and one
// that ends its wait.
const mostUnderWay = 2

// fetcher follows what one node leads.
type fetcher struct {
	all  *Fetchers
	node int32
	kick chan struct{} // has something in it when there may be something to send
	wake chan struct{} // has something in it when there may be something to follow

	sending sync.Mutex // held over writes to conn
	out     []byte     // scratch of the writer, as are these
	request pull.Request
	batch   []*part
	syncs   []*part

	mu        sync.Mutex // guards all below, and the parts' fields
	parts     map[pull.Key]*part
	idle      []*part    // to be asked about
	forgotten []pull.Key // the session has them still
	synced    []*part    // with syncs that the leader does not know of

	conn         net.Conn // nil: none
	sessionID    int32
	sessionEpoch int32
	correlation  int32
	underWay     []int32 // correlation ids of fetches
	failures     int     // in a row
}

func newFetcher(f *Fetchers, node int32) *fetcher {
	return &fetcher{all: f, node: node, kick: make(chan struct{}, 1), wake: make(chan struct{}, 1), parts: map[pull.Key]*part{}}
}

// add takes a partition in.
func (n *fetcher) add(x *part) {
	n.mu.Lock()
	n.parts[x.key] = x
	n.list(x)
	n.mu.Unlock()
	n.stir()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// list notes that a partition is to be asked about. mu is held.
func (n *fetcher) list(x *part) {
	x.asked = false
	if !x.listed && !x.gone {
		x.listed = true
		n.idle = append(n.idle, x)
	}
}

// remove lets a partition go.
func (n *fetcher) remove(x *part) {
	n.mu.Lock()
	x.gone = true
	if n.parts[x.key] == x {
		delete(n.parts, x.key)
		if n.conn != nil {
			n.forgotten = append(n.forgotten, x.key)
		}
	}
	n.mu.Unlock()
	n.stir()
}

// note is told of a sync.
func (n *fetcher) note(x *part) {
	n.mu.Lock()
	fresh := !x.news && !x.gone && n.conn != nil
	if fresh {
		x.news = true
		n.synced = append(n.synced, x)
	}
	n.mu.Unlock()
	if fresh {
		n.stir()
	}
}

// stir has the writer look.
func (n *fetcher) stir() {
	select {
	case n.kick <- struct{}{}:
	default:
	}
}

// talk sends what there is to send until the end.
func (n *fetcher) talk() {
	clock := time.NewTimer(time.Hour)
	defer clock.Stop()
	for {
		next := n.send()
		clock.Reset(next)
		select {
		case <-n.kick:
		case <-clock.C:
		case <-n.all.ctx.Done():
			return
		}
	}
}

// read connects and takes answers until the end.
func (n *fetcher) read() {
	for n.all.ctx.Err() == nil {
		conn, err := n.connect()
		if err == nil {
			err = n.takeAll(conn)
		}
		n.hangUp(err)
		if !n.pause() {
			return
		}
	}
}

// wanted tells whether there is anything to follow.
func (n *fetcher) wanted() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.parts) > 0
}

var errNothing = errors.New("nothing is followed there")

// connect makes the connection, once there is something to ask.
func (n *fetcher) connect() (net.Conn, error) {
	if !n.wanted() {
		return nil, errNothing
	}
	ctx, cancel := context.WithTimeout(n.all.ctx, n.all.o.Settings().Silence)
	defer cancel()
	conn, err := n.all.o.Open(ctx, n.node)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.conn = conn
	n.mu.Unlock()
	if n.all.ctx.Err() != nil { // Close may not have seen it
		return conn, n.all.ctx.Err()
	}
	n.stir()
	return conn, nil
}

// hangUp ends the connection; everything is to be asked anew.
func (n *fetcher) hangUp(why error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn != nil {
		_ = n.conn.Close() // what it says does not matter any more
		n.conn = nil
	}
	n.sessionID, n.sessionEpoch, n.underWay = 0, 0, n.underWay[:0]
	n.forgotten = n.forgotten[:0]
	for _, x := range n.synced {
		x.news = false
	}
	n.synced = n.synced[:0]
	for _, x := range n.parts {
		n.list(x)
	}
	if why == nil || errors.Is(why, errNothing) || n.all.ctx.Err() != nil {
		return
	}
	n.all.o.Metrics.Failed.Inc()
	if n.failures++; n.failures == 1 {
		n.all.o.Logger.Warn("replicas do not reach their leader's node, and try again",
			slog.Int("broker", int(n.node)), slog.Int("count", len(n.parts)), slog.Any("err", why))
	}
}

// pause waits before the next connection: a little after a failure, and as long as
// nothing is followed. False: it is over.
func (n *fetcher) pause() bool {
	n.mu.Lock()
	failures := n.failures
	n.mu.Unlock()
	wait := time.NewTimer(min(firstPause<<min(failures, 10), n.all.o.Settings().Backoff))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-n.all.ctx.Done():
		return false
	}
	for !n.wanted() {
		select {
		case <-n.wake:
		case <-n.all.ctx.Done():
			return false
		}
	}
	return true
}
