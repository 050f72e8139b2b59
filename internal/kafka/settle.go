package kafka

import (
	"context"
	"time"
)

// A node that stops owes answers. What a client asked for and does not hear of may have
// been done or not: it asks again elsewhere, and who writes without a producer id writes
// twice. So a door that closes reads no more, and ends a connection when what came on it
// is answered; only requests that may wait for something to happen (API.Waits) go
// without. Connections of nodes live on meanwhile, for what is written waits for
// replicas.

// settleTimeout bounds how long clients hold up a stop.
const settleTimeout = time.Second

// past is a deadline that is over.
var past = time.Unix(1, 0)

// settle waits until no client is owed an answer, or long enough.
func (d *Door) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for d.served() > 0 {
		select {
		case <-d.left:
		case <-ctx.Done():
			return
		}
	}
}

// served counts the connections of clients.
func (d *Door) served() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clients
}

// settle is what the reader does in the end: it waits until what came is answered, or
// the connection is closed. It gives the reason to close it.
func (c *conn) settle() error {
	c.flushInline()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settling = true
	for !c.closed && (c.flushing || c.queue.owes()) {
		c.changed.Wait()
	}
	return ErrClosed
}

// owes tells whether there is a request whose answer should not take long.
func (r *ring) owes() bool {
	for i := range r.n {
		if !r.slots[(r.first+i)%len(r.slots)].row.Waits {
			return true
		}
	}
	return false
}
