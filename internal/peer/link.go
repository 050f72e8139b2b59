package peer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// Bounds of what waits for one node. Callers beyond them are told at once.
const (
	maxCalls   = 4 << 10
	maxPending = 64 << 20 // bytes that were not yet written
)

var errBusy = errors.New("too much waits for it already")

// linkState is where a shared connection stands.
type linkState int8

const (
	linkDown    linkState = iota // nobody needs it, or the last try failed: no goroutine
	linkDialing                  // run is making it, or sees the last one off; calls wait in queued
	linkUp                       // run reads, write writes
	linkClosed                   // the pool was closed
)

// link is the shared connection to one node. While it is up it has two
// goroutines: run reads answers, write sends what calls left in out.
type link struct {
	pool *Pool
	node int32
	wake chan struct{} // there is something in out

	mu       sync.Mutex // guards all below; done functions are called without it
	state    linkState
	conn     *Conn
	format   *kmsg.RequestFormatter
	versions map[int16][2]int16
	queued   []*call         // wait for the connection
	waiting  map[int32]*call // by correlation id, encoded and unanswered
	next     int32           // correlation id
	out      []byte          // encoded requests
	fresh    []*call         // those in out
	backoff
}

func newLink(p *Pool, node int32) *link {
	return &link{pool: p, node: node, wake: make(chan struct{}, 1), waiting: map[int32]*call{}}
}

// start takes a call in; it is settled sooner or later.
func (l *link) start(c *call) {
	l.mu.Lock()
	err := l.take(c)
	l.mu.Unlock()
	if err != nil {
		c.settle(nil, err)
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take puts a call where it waits, or says why not; the lock is held.
func (l *link) take(c *call) error {
	switch {
	case l.state == linkClosed:
		return notSent(l.node, ErrClosed)
	case len(l.queued)+len(l.waiting) >= maxCalls || len(l.out) >= maxPending:
		return notSent(l.node, errBusy)
	case l.state == linkUp:
		return l.encode(c)
	case l.state == linkDown && l.pausing(l.pool.o.Now()):
		return notSent(l.node, l.lastErr)
	case l.state == linkDown:
		if !l.pool.begin() {
			return notSent(l.node, ErrClosed)
		}
		l.state = linkDialing
		go l.run()
	}
	l.queued = append(l.queued, c)
	return nil
}

// encode puts a call's request into out; the lock is held and the link is up.
func (l *link) encode(c *call) error {
	if c.settled.Load() {
		return nil // its context ended while it waited
	}
	version, err := l.version(c.req)
	if err != nil {
		return err
	}
	c.req.SetVersion(version)
	c.corr = l.next
	l.next++
	// The formatter takes all of what it appends to for the one request, and puts
	// the length in front.
	l.out = append(l.out, l.format.AppendRequest(l.out[len(l.out):], c.req, c.corr)...)
	if _, silent := c.req.(own.Unanswered); !silent {
		l.waiting[c.corr] = c
	}
	l.fresh = append(l.fresh, c)
	return nil
}

// version is the highest that both ends know.
func (l *link) version(req kmsg.Request) (int16, error) {
	if req.Key() >= wire.OwnFirst {
		return req.MaxVersion(), nil
	}
	span, ok := l.versions[req.Key()]
	version := min(span[1], req.MaxVersion())
	if !ok || version < span[0] {
		return 0, wire.Errorf(wire.UnsupportedVersion, "%w", unsent{fmt.Errorf("node %d does not serve %s in any version known here", l.node, kmsg.NameForKey(req.Key()))})
	}
	return version, nil
}

// run makes the connection and reads it until it ends, and again while calls
// wait for it.
func (l *link) run() {
	defer l.pool.wg.Done()
	for {
		ctx, cancel := context.WithTimeout(l.pool.ctx, dialTime)
		c, versions, me, err := l.dial(ctx)
		cancel()
		if err != nil {
			l.giveUp(err)
			return
		}
		l.pool.o.OnUp(l.node)
		err = l.serve(c, versions, me)
		l.pool.o.Logger.Debug("connection to a node ended", slog.Int("node", int(l.node)), slog.Any("err", err))
		l.pool.o.OnDown(l.node, err)
		if !l.again() {
			return
		}
	}
}

// dial makes the connection and asks which versions the node serves.
func (l *link) dial(ctx context.Context) (c *Conn, versions map[int16][2]int16, me int32, err error) {
	id, err := l.pool.o.Identity()
	if err != nil {
		return nil, nil, 0, err
	}
	if c, err = l.pool.open(ctx, l.node, protoCalls); err != nil {
		return nil, nil, 0, err
	}
	if versions, err = askVersions(ctx, c); err != nil {
		return nil, nil, 0, errors.Join(fmt.Errorf("ask node %d for its versions: %w", l.node, err), c.Close())
	}
	return c, versions, id.NodeID, nil
}

// giveUp settles the calls that waited for a connection that cannot be made.
func (l *link) giveUp(why error) {
	l.mu.Lock()
	calls := l.queued
	l.queued = nil
	if l.state != linkClosed {
		l.state = linkDown
		l.backoff.failed(l.pool.o.Now(), why)
	}
	l.mu.Unlock()
	for _, q := range calls {
		q.settle(nil, notSent(l.node, why))
	}
}

// serve lets the calls that waited go, and reads answers until the connection
// ends; it settles what is unanswered then, and says why it ended.
func (l *link) serve(c *Conn, versions map[int16][2]int16, me int32) error {
	l.mu.Lock()
	if l.state == linkClosed {
		_ = c.Close() // the pool was closed meanwhile; the reader notices
	} else {
		l.state = linkUp
	}
	l.conn, l.versions = c, versions
	l.backoff.clear()
	l.format = kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID(me)))
	queued := l.queued
	l.queued = nil
	refused := make([]error, len(queued))
	for i, q := range queued {
		refused[i] = l.encode(q)
	}
	l.mu.Unlock()
	for i, q := range queued {
		if refused[i] != nil {
			q.settle(nil, refused[i])
		}
	}
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		l.write(c, ended)
	}()
	why := l.read(c)
	_ = c.Close()
	close(ended)
	<-gone
	l.settleAll(why)
	return why
}

// write sends what calls leave in out until the connection ends.
func (l *link) write(c *Conn, ended <-chan struct{}) {
	var spare []byte
	for {
		l.mu.Lock()
		out, fresh := l.out, l.fresh
		l.out, l.fresh = spare[:0], nil
		for _, q := range fresh {
			q.sent = true
		}
		l.mu.Unlock()
		spare = nil
		if len(out) == 0 {
			select {
			case <-l.wake:
				continue
			case <-ended:
				return
			}
		}
		_, err := c.Write(out)
		l.settleSilent(fresh, err)
		if err != nil {
			_ = c.Close() // the reader notices
			return
		}
		if cap(out) <= writeAhead {
			spare = out
		}
	}
}

// settleSilent tells those who get no answer whether theirs was sent.
func (l *link) settleSilent(sent []*call, err error) {
	if err != nil {
		err = lost(l.node, err)
	}
	for _, q := range sent {
		if _, silent := q.req.(own.Unanswered); silent {
			q.settle(nil, err)
		}
	}
}

// settleAll ends what the connection leaves unanswered, oldest call first.
func (l *link) settleAll(why error) {
	l.mu.Lock()
	calls := make([]*call, 0, len(l.waiting)+len(l.fresh))
	for _, q := range l.waiting {
		calls = append(calls, q)
	}
	for _, q := range l.fresh {
		if _, silent := q.req.(own.Unanswered); silent {
			calls = append(calls, q)
		}
	}
	slices.SortFunc(calls, func(a, b *call) int { return cmp.Compare(a.corr, b.corr) })
	clear(l.waiting)
	l.out, l.fresh, l.conn = nil, nil, nil
	if l.state == linkUp {
		l.state = linkDialing // calls wait until this connection was seen off
	}
	l.mu.Unlock()
	for _, q := range calls {
		if q.sent {
			q.settle(nil, lost(l.node, why))
		} else {
			q.settle(nil, notSent(l.node, why))
		}
	}
}

// again tells whether calls wait for another connection already.
func (l *link) again() bool {
	l.mu.Lock()
	if l.state != linkClosed && len(l.queued) > 0 {
		l.mu.Unlock()
		return true
	}
	calls := l.queued
	l.queued = nil
	if l.state != linkClosed {
		l.state = linkDown
	}
	l.mu.Unlock()
	for _, q := range calls {
		q.settle(nil, notSent(l.node, ErrClosed))
	}
	return false
}

// close ends the link for good; run, if it runs, settles what waits.
func (l *link) close() {
	l.mu.Lock()
	l.state = linkClosed
	l.mu.Unlock()
	l.cut()
}

// cut ends the connection as a broken network does.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close() // the reader notices
	}
}

// backoff is the pause after a try that failed. It is short: a node that comes
// back is found soon, and a try costs little.
type backoff struct {
	lastErr error
	pause   time.Duration
	until   time.Time
}

const (
	firstBackoff = 20 * time.Millisecond
	lastBackoff  = 250 * time.Millisecond
)

func (b *backoff) failed(now time.Time, err error) {
	b.pause = min(max(firstBackoff, 2*b.pause), lastBackoff)
	b.lastErr, b.until = err, now.Add(b.pause)
}

func (b *backoff) clear() { *b = backoff{} }

func (b *backoff) pausing(now time.Time) bool { return b.lastErr != nil && now.Before(b.until) }
