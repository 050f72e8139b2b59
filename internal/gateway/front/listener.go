package front

import (
	"errors"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// listener is a port's listener that also takes connections back, which were
// away from their server while a request of theirs was parked.
type listener struct {
	net.Listener
	accepted chan accepted
	back     chan net.Conn
	closed   chan struct{}
	once     sync.Once

	mu   sync.Mutex // guards what follows
	idle map[*returned]struct{}
}

type accepted struct {
	conn net.Conn
	err  error
}

func listen(l net.Listener) *listener {
	out := &listener{Listener: l, accepted: make(chan accepted), back: make(chan net.Conn), closed: make(chan struct{}), idle: map[*returned]struct{}{}}
	go out.accept()
	return out
}

// accept hands on what the port gives, errors too, until it is closed.
func (l *listener) accept() {
	for {
		c, err := l.Listener.Accept()
		select {
		case l.accepted <- accepted{c, err}:
		case <-l.closed:
			if c != nil {
				_ = c.Close()
			}
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// Accept gives the next connection, new or back.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.accepted:
		if a.err != nil {
			return nil, a.err
		}
		return wrap(a.conn), nil
	case c := <-l.back:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// give takes a connection back, with what was read of it already.
func (l *listener) give(c net.Conn, early []byte) {
	r := &returned{Conn: wrap(c), early: early, fresh: true, from: l}
	l.mu.Lock()
	l.idle[r] = struct{}{}
	l.mu.Unlock()
	select {
	case l.back <- r:
	case <-l.closed:
		_ = r.Close()
	}
}

// drop closes the connections that came back and have asked nothing since: a
// server that stops would wait for them, as they are new to it.
func (l *listener) drop() {
	l.mu.Lock()
	all := slices.Collect(maps.Keys(l.idle))
	l.mu.Unlock()
	for _, r := range all {
		_ = r.Close()
	}
}

func (l *listener) forget(r *returned) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.idle, r)
}

// Close stops accepting.
func (l *listener) Close() error {
	err := l.Listener.Close()
	l.once.Do(func() { close(l.closed) })
	return err
}

// returned is a connection that came back. To its server it is a new one, which
// has to send a request soon; it is given the time of one that is kept instead.
type returned struct {
	net.Conn
	early []byte
	fresh bool // nothing was read of it since; of the connection's reader
	from  *listener
}

// Close closes the connection.
func (r *returned) Close() error {
	r.from.forget(r)
	return r.Conn.Close()
}

// Read reads what was read already, then the connection.
func (r *returned) Read(p []byte) (int, error) {
	if len(r.early) > 0 {
		n := copy(p, r.early)
		r.early = r.early[n:]
		return n, r.began()
	}
	n, err := r.Conn.Read(p)
	if n > 0 && err == nil {
		err = r.began()
	}
	return n, err
}

// began gives the rest of a request's headers the time that they have.
func (r *returned) began() error {
	if !r.fresh {
		return nil
	}
	r.fresh = false
	r.from.forget(r)
	return r.Conn.SetReadDeadline(time.Now().Add(readHeaderTimeout))
}

// SetReadDeadline gives the next request the time of a connection that is kept.
func (r *returned) SetReadDeadline(t time.Time) error {
	if r.fresh && !t.IsZero() && t.After(time.Now()) {
		t = time.Now().Add(idleTimeout)
	}
	return r.Conn.SetReadDeadline(t)
}

func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
