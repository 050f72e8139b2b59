package kafka

import (
	"context"
	"time"

	"ottla/internal/kafka/api"
)

// A node that stops owes answers. What a client asked for and does not hear of may have
// been done or not: it asks again elsewhere, and who writes without a producer id writes
// twice. So a door that closes reads no more, and ends a connection when what came on it
// is answered; requests that may wait for something to happen (API.Waits) are answered
// with what there is, or go without. Members that wait for their groups are let go by the
// coordinator (coordinator.Runtime.LetGo), which the server tells before it closes the
// door. Connections of nodes live on meanwhile, for what is written waits for replicas.

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
	c.parting.Store(true)
	c.hurry()
	if c.await() {
		c.linger()
	}
	return ErrClosed
}

// hurry has an answer at the head of the queue that waits for something built once more:
// others may stand behind it, and it leaves with what there is. One that is not at the
// head yet looks at parting when it gets there.
func (c *conn) hurry() {
	c.mu.Lock()
	var head *api.Ticket
	if c.queue.n > 0 && c.queue.front().row.Waits {
		head = c.queue.front().answer.Place()
	}
	c.mu.Unlock()
	if head != nil {
		head.Ready()
	}
}

// await waits until nothing is owed; false when the connection is closed.
func (c *conn) await() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && (c.flushing || c.queue.owes()) {
		c.changed.Wait()
	}
	return !c.closed
}

// lingerQuiet is how long a client may be silent that was told of the end.
const lingerQuiet = 50 * time.Millisecond

// linger tells the client of the end and throws away what it sends until it is quiet. A
// socket that is closed with something unread, or written to afterwards, is reset, and
// that takes answers from a client that has not read them yet.
func (c *conn) linger() {
	half, can := c.nc.(interface{ CloseWrite() error })
	if !can || half.CloseWrite() != nil {
		return
	}
	c.in.last = 0 // no request will come that is worth as much memory
	for {
		c.in.r = c.in.w
		if c.nc.SetReadDeadline(time.Now().Add(lingerQuiet)) != nil {
			return
		}
		if _, err := c.in.fill(); err != nil {
			return
		}
	}
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
