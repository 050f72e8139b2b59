package front

import (
	"net"
	"sync"
	"time"

	"ottla/internal/sockcall"
)

// lazy is a connection that tells its socket of a read deadline only where that
// matters. A server of net/http sets seven of them for a request, each a change of
// a timer, of which most are replaced before anything waits.
//
// The socket never knows of a later deadline than was asked for; where it has an
// earlier one that is over, a read goes on with that which was asked for.
type lazy struct {
	net.Conn

	mu      sync.Mutex // guards what follows
	until   time.Time  // asked for; zero is none
	told    time.Time  // that the socket has; zero is none
	reading bool
}

// wrap makes a connection cheaper for the server, if it is a plain socket.
func wrap(c net.Conn) net.Conn {
	if s, ok := sockcall.Wrap(c).(*sockcall.Conn); ok {
		return &lazy{Conn: s}
	}
	return c
}

// unwrap gives the connection itself where it has nothing left to say, without a
// read deadline.
func unwrap(c net.Conn) net.Conn {
	if r, ok := c.(*returned); ok && len(r.early) == 0 {
		c = r.Conn // it has asked something, so nobody thinks it idle
	}
	l, ok := c.(*lazy)
	if !ok {
		return c
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = time.Time{}
	_ = l.tell() // a connection that has ended says so when it is read
	return l.Conn.(*sockcall.Conn).Conn
}

// Read implements net.Conn.
func (l *lazy) Read(p []byte) (int, error) {
	if err := l.begin(); err != nil {
		return 0, err
	}
	for {
		n, err := l.Conn.Read(p)
		if err == nil || !timedOut(err) || !l.goOn() {
			l.mu.Lock()
			l.reading = false
			l.mu.Unlock()
			return n, err
		}
	}
}

// begin begins a read.
func (l *lazy) begin() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.late() {
		if err := l.tell(); err != nil {
			return err
		}
	}
	l.reading = true
	return nil
}

// goOn tells whether a read that the socket ended is not over yet.
func (l *lazy) goOn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told == l.until || !l.until.IsZero() && !time.Now().Before(l.until) {
		return false
	}
	return l.tell() == nil
}

// late tells whether the socket would wait too long. mu held.
func (l *lazy) late() bool {
	return !l.until.IsZero() && (l.told.IsZero() || l.told.After(l.until))
}

// tell has the socket know what was asked for. mu held.
func (l *lazy) tell() error {
	if l.told == l.until {
		return nil
	}
	l.told = l.until
	return l.Conn.SetReadDeadline(l.until)
}

// SetReadDeadline implements net.Conn.
func (l *lazy) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = t
	if l.reading && l.late() {
		return l.tell()
	}
	return nil
}

// SetDeadline implements net.Conn.
func (l *lazy) SetDeadline(t time.Time) error {
	if err := l.SetReadDeadline(t); err != nil {
		return err
	}
	return l.Conn.SetWriteDeadline(t)
}
