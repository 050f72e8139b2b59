package client

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Line is the network of one client, which can be cut. Its client's options have
// Dial as kgo.Dialer. It may be used by several goroutines.
type Line struct {
	mu    sync.Mutex // guards what follows
	cut   bool
	conns map[*wire]struct{}
}

// wire is a connection over it.
type wire struct {
	net.Conn
	line *Line
}

// Close ends the connection; the line forgets it.
func (w *wire) Close() error {
	w.line.mu.Lock()
	delete(w.line.conns, w)
	w.line.mu.Unlock()
	return w.Conn.Close()
}

// errCut is what a client on a cut line gets.
var errCut = errors.New("the network of this client is cut")

// NewLine is one that works.
func NewLine() *Line { return &Line{conns: map[*wire]struct{}{}} }

// Dial connects, while the line is not cut.
func (l *Line) Dial(ctx context.Context, network, host string) (net.Conn, error) {
	d := net.Dialer{Timeout: 2 * time.Second}
	conn, err := d.DialContext(ctx, network, host)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return nil, errors.Join(errCut, conn.Close())
	}
	w := &wire{conn, l}
	l.conns[w] = struct{}{}
	return w, nil
}

// Cut ends all connections and lets no new one be made.
func (l *Line) Cut() {
	l.mu.Lock()
	l.cut = true
	all := l.conns
	l.conns = map[*wire]struct{}{}
	l.mu.Unlock()
	for w := range all {
		_ = w.Conn.Close() // that is what the cut is
	}
}

// Mend lets connections be made again.
func (l *Line) Mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = false
}
