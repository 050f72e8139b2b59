package kafka

import (
	"time"

	"ottla/internal/kafka/api"
)

// slot is a request whose answer has not been built.
type slot struct {
	answer   api.Answer
	row      *row
	size     int // bytes of the request
	received time.Time
}

// ring is a queue of slots that grows up to maxParked; it holds memory only
// once something was parked.
type ring struct {
	slots []slot
	first int
	n     int
	bytes int // of all requests in it
}

func (r *ring) len() int     { return r.n }
func (r *ring) front() *slot { return &r.slots[r.first] }

// push appends; the caller has made sure that there is room.
func (r *ring) push(s slot) {
	if r.n == len(r.slots) {
		grown := make([]slot, max(8, 2*len(r.slots)))
		for i := range r.n {
			grown[i] = r.slots[(r.first+i)%len(r.slots)]
		}
		r.slots, r.first = grown, 0
	}
	r.slots[(r.first+r.n)%len(r.slots)] = s
	r.n++
	r.bytes += s.size
}

// pop removes the front.
func (r *ring) pop() slot {
	s := r.slots[r.first]
	r.slots[r.first] = slot{}
	r.first = (r.first + 1) % len(r.slots)
	r.n--
	r.bytes -= s.size
	return s
}

// raise brings the first slot that is ready to the front, the others keep their
// order; it tells whether there is one.
func (r *ring) raise() bool {
	for i := range r.n {
		at := (r.first + i) % len(r.slots)
		if !r.slots[at].answer.Place().IsReady() {
			continue
		}
		s := r.slots[at]
		for ; i > 0; i-- {
			before := (r.first + i - 1) % len(r.slots)
			r.slots[at] = r.slots[before]
			at = before
		}
		r.slots[at] = s
		return true
	}
	return false
}

// headReady tells whether the front can be built; calls of nodes are answered
// as they get done. The lock is held, and the caller has the writing role or
// nobody does.
func (c *conn) headReady() bool {
	if c.calls != nil {
		return c.queue.raise()
	}
	return c.queue.n > 0 && c.queue.front().answer.Place().IsReady()
}

// full tells whether the reader must wait.
func (c *conn) full() bool {
	most := maxParked
	if c.calls != nil {
		most = maxCalls
	}
	return c.queue.n >= most || c.queue.bytes > 2*c.door.limits.frame
}

// waitForRoom blocks the reader while too much is parked; false when the
// connection is closed.
func (c *conn) waitForRoom() bool {
	c.mu.Lock()
	full, closed := c.full(), c.closed
	c.mu.Unlock()
	if !full || closed {
		return !closed
	}
	c.flushInline()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.full() && !c.closed {
		c.changed.Wait()
	}
	return !c.closed
}

// park puts an answer at the end of the queue. The reader calls it, and writes
// what is ready before it next waits.
func (c *conn) park(s slot) {
	c.mu.Lock()
	c.queue.push(s)
	c.mu.Unlock()
	s.answer.Place().Enter(&c.asQueue)
	// If it was ready before it entered, nobody was woken: but the reader comes
	// by flushInline before it waits, and a writer that passes the role on looks
	// at the head again.
}

// pop takes the front out; false when the queue is empty.
func (c *conn) pop() (slot, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue.n == 0 {
		return slot{}, false
	}
	s := c.queue.pop()
	c.changed.Broadcast()
	return s, true
}

// Wake implements api.Queue: an answer became ready. When it is at the head
// and nobody writes, a goroutine is started for it.
func (c *conn) Wake(t *api.Ticket) {
	if c.takeRole(t) {
		go c.flushFn()
	}
}

// WakeBy implements api.Queue: as Wake, but who made the answer ready writes it
// soon, as far as that goes without waiting.
func (c *conn) WakeBy(t *api.Ticket, later api.Later) {
	if c.takeRole(t) && !later.Add(c.obligeFn) {
		go c.flushFn()
	}
}

// takeRole takes the writing role for an answer that became ready; false when
// it is not at the head, or somebody writes.
func (c *conn) takeRole(t *api.Ticket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flushing || c.closed || c.queue.n == 0 {
		return false
	}
	if c.calls != nil {
		if !c.queue.raise() {
			return false
		}
	} else if c.queue.front().answer.Place() != t {
		return false
	}
	c.flushing = true
	return true
}
