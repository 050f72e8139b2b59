package sharer

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// wires are a member's connections, so that they can be cut.
type wires struct {
	mu   sync.Mutex // guards both
	all  []net.Conn
	dead bool
}

func (w *wires) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, fmt.Errorf("reach %s: %w", addr, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return nil, fmt.Errorf("the member is dead: %w", c.Close())
	}
	w.all = append(w.all, c)
	return c, nil
}

// cut ends all connections, for good.
func (w *wires) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
	for _, c := range w.all {
		_ = c.Close() // it is cut in any case
	}
}
