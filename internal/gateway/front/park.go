package front

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Poll is a request that waits for something to come.
type Poll struct {
	// Key says what it waits for: polls of one key are served in their order, a
	// few at once.
	Key string
	// Wait is how long.
	Wait time.Duration
	// Serve waits until ctx ends, at the latest, and answers. It runs when it is
	// the poll's turn, in a goroutine of the front. When ctx was ended because the
	// caller has gone, or will send nothing more, it should take nothing: nobody may
	// get the answer.
	Serve func(ctx context.Context, w http.ResponseWriter)
	// Over answers a poll whose turn did not come before its time was over.
	Over func(w http.ResponseWriter)
}

// laneWidth is how many polls of one key are served at once. Each goroutine
// waits for what comes; more of them would take in parallel what comes at once.
const laneWidth = 4

// frontKey is where a request's context has its front.
type frontKey struct{}

// Park takes a request's connection away from its goroutine until the poll is
// over: then it costs what the poll remembers, and neither a goroutine nor
// buffers. It is false where that cannot be, and the caller waits himself.
// Otherwise the request is answered for; w must not be used any more. What the
// caller has left of the request's body is read, or the next request would be
// taken to begin with it.
func Park(w http.ResponseWriter, r *http.Request, p Poll) bool {
	f, _ := r.Context().Value(frontKey{}).(*Front)
	if f == nil || r.TLS != nil || r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.Close || !f.lanes.open() || !drained(r) {
		return false
	}
	header := flat(w.Header())
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	var early []byte
	if n := buffered.Reader.Buffered(); n > 0 { // a request that came early
		peeked, _ := buffered.Reader.Peek(n) // they are there
		early = slices.Clone(peeked)
	}
	f.lanes.park(&parked{Poll: p, header: header, conn: unwrap(conn), early: early, until: time.Now().Add(p.Wait)})
	return true
}

// mostUnread is how much of a body that nobody wanted is read.
const mostUnread = 64 << 10

// drained reads what is left of a request's body; false when it has no end, or none
// that is near.
func drained(r *http.Request) bool {
	_, err := io.CopyN(io.Discard, r.Body, mostUnread)
	return errors.Is(err, io.EOF)
}

// parked is a poll with its connection.
type parked struct {
	Poll
	header []string // what the answer has already: names and values in turn
	conn   net.Conn
	early  []byte // what was read of the connection beyond the request
	until  time.Time
	timer  *time.Timer // ends it while it waits for its turn
}

// flat is a header in little memory: a poll has it for long.
func flat(h http.Header) []string {
	n := 0
	for _, values := range h {
		n += 2 * len(values)
	}
	out := make([]string, 0, n)
	for name, values := range h {
		for _, v := range values {
			out = append(out, name, v)
		}
	}
	return out
}

// unflat is the inverse of flat.
func unflat(pairs []string) http.Header {
	h := make(http.Header, len(pairs)/2)
	for ; len(pairs) > 1; pairs = pairs[2:] {
		h[pairs[0]] = append(h[pairs[0]], pairs[1])
	}
	return h
}

// lanes has the polls of all keys.
type lanes struct {
	give func(net.Conn, []byte) // takes connections back that were answered
	ctx  context.Context        // of the polls that are served

	mu      sync.Mutex // guards what follows
	lane    map[string]*lane
	polls   int // that have no answer yet
	closed  bool
	serving sync.WaitGroup
}

// lane has the polls of one key.
type lane struct {
	waiting []*parked // in their order
	busy    int       // goroutines
}

// Parked is how many polls have no answer yet.
func (f *Front) Parked() int {
	f.lanes.mu.Lock()
	defer f.lanes.mu.Unlock()
	return f.lanes.polls
}

func (l *lanes) ended() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.polls--
}

func (l *lanes) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.closed
}

// park puts a poll behind the others of its key.
func (l *lanes) park(p *parked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = p.conn.Close() // the port closes
		return
	}
	at := l.lane[p.Key]
	if at == nil {
		at = &lane{}
		l.lane[p.Key] = at
	}
	l.polls++
	at.waiting = append(at.waiting, p)
	if at.busy < laneWidth {
		at.busy++
		l.serving.Go(func() { l.run(p.Key, at) })
		return
	}
	p.timer = time.AfterFunc(p.Wait, func() { l.over(at, p) })
}

// run serves polls of a key until none waits.
func (l *lanes) run(key string, at *lane) {
	for {
		l.mu.Lock()
		if len(at.waiting) == 0 {
			if at.busy--; at.busy == 0 {
				delete(l.lane, key)
			}
			l.mu.Unlock()
			return
		}
		p := at.waiting[0]
		at.waiting[0] = nil
		at.waiting = at.waiting[1:]
		l.mu.Unlock()
		if p.timer != nil {
			p.timer.Stop()
		}
		l.serve(p)
	}
}

// over answers a poll whose turn has not come; one whose turn it is has been
// taken off.
func (l *lanes) over(at *lane, p *parked) {
	l.mu.Lock()
	i := slices.Index(at.waiting, p)
	if i < 0 {
		l.mu.Unlock()
		return
	}
	at.waiting = slices.Delete(at.waiting, i, i+1)
	l.serving.Add(1)
	l.mu.Unlock()
	defer l.serving.Done()
	l.answer(p, p.Over)
}

// serve serves a poll whose turn it is, while it looks whether the caller is
// still there.
func (l *lanes) serve(p *parked) {
	defer l.ended()
	if gone(p.conn) {
		l.part(p, p.Over)
		return
	}
	ctx, cancel := context.WithDeadline(l.ctx, p.until)
	defer cancel()
	left := make(chan bool, 1)
	go func() { left <- p.look(cancel) }()
	w := &answer{header: unflat(p.header)}
	p.Serve(ctx, w)
	_ = p.conn.SetReadDeadline(time.Unix(1, 0)) // ends the look
	if <-left {
		l.last(p, w)
		return
	}
	_ = p.conn.SetReadDeadline(time.Time{})
	l.send(p, w)
}

// part answers a caller who has gone, or has closed his sending half alone, as shell
// tools do behind their last request: which of them nobody can tell.
func (l *lanes) part(p *parked, how func(http.ResponseWriter)) {
	w := &answer{header: unflat(p.header)}
	how(w)
	l.last(p, w)
}

// last writes the last answer of a connection.
func (l *lanes) last(p *parked, w *answer) {
	w.header.Set("Connection", "close")
	_ = p.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, _ = w.WriteTo(p.conn) // there may be nobody to hear it
	_ = p.conn.Close()
}

// look reads until the connection ends, which cancels, or what comes is the
// next request. It tells whether the caller has gone.
func (p *parked) look(cancel context.CancelFunc) bool {
	if len(p.early) > 0 {
		return false
	}
	var b [1]byte
	n, err := p.conn.Read(b[:])
	if n > 0 {
		p.early = []byte{b[0]}
		return false
	}
	if timedOut(err) {
		return false
	}
	cancel()
	return true
}

func (l *lanes) answer(p *parked, how func(http.ResponseWriter)) {
	defer l.ended()
	w := &answer{header: unflat(p.header)}
	how(w)
	l.send(p, w)
}

// send writes an answer and gives the connection back.
func (l *lanes) send(p *parked, w *answer) {
	_ = p.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := w.WriteTo(p.conn)
	_ = p.conn.SetWriteDeadline(time.Time{})
	if err != nil || !l.open() {
		_ = p.conn.Close()
		return
	}
	l.give(p.conn, p.early)
}

// close ends all polls: those that are served answer what they have, the others
// that nothing came.
func (l *lanes) close(cancel context.CancelFunc) {
	l.mu.Lock()
	l.closed = true
	var rest []*parked
	for _, at := range l.lane {
		rest = append(rest, at.waiting...)
		at.waiting = nil
	}
	l.mu.Unlock()
	cancel()
	for _, p := range rest {
		if p.timer != nil {
			p.timer.Stop()
		}
		l.answer(p, p.Over)
	}
	l.serving.Wait()
}
