package kafka

import (
	"fmt"

	"ottla/internal/kafka/api"
)

// output is the writing side of a connection. Whoever has the writing role
// (conn.flushing) owns it.
type output struct {
	api.Out
	sink sink
}

// Sizes of writing: neighbours are gathered up to writeFrom bytes and leave in
// one write.
const (
	firstOut  = 16 << 10
	writeFrom = 128 << 10
)

// flushInline writes what is ready, on the reader's goroutine, if nobody else
// does.
func (c *conn) flushInline() {
	c.mu.Lock()
	if c.flushing || c.closed || !c.headReady() {
		c.mu.Unlock()
		return
	}
	c.flushing = true
	c.mu.Unlock()
	c.flush()
}

// flushAlone is flush on a goroutine of its own, started by Wake.
func (c *conn) flushAlone() {
	defer func() {
		if r := recover(); r != nil {
			c.abandon(c.panicked(r))
		}
	}()
	c.flush()
}

// flushObliging is flush on the goroutine of another connection, which must
// not wait for this one: what would have to wait goes on alone.
func (c *conn) flushObliging() {
	defer func() {
		if r := recover(); r != nil {
			c.abandon(c.panicked(r))
		}
	}()
	for {
		ready, err := c.buildNext()
		if err != nil {
			c.abandon(err)
			return
		}
		if ready && len(c.out.Parts) == 0 && len(c.out.Buf) < obligeUpTo {
			continue
		}
		if len(c.out.Parts) > 0 || len(c.out.Buf) >= obligeUpTo || !c.tryWrite() {
			go c.flushFn() // the role and what was gathered are its from here on
			return
		}
		if c.passRole() {
			return
		}
	}
}

// obligeUpTo is how much is written for another connection: what fits in its
// socket's buffer and costs little more than waking it would.
const obligeUpTo = 32 << 10

// tryWrite sends what was gathered as far as the socket takes it at once; true
// when nothing is left. An error shows with the next write.
func (c *conn) tryWrite() bool {
	if len(c.out.Buf) == 0 {
		return true
	}
	n := c.out.sink.try(c.out.Buf)
	c.door.m.sent(n)
	c.out.Buf = c.out.Buf[:copy(c.out.Buf, c.out.Buf[n:])]
	return len(c.out.Buf) == 0
}

// abandon gives the writing role up after a failure.
func (c *conn) abandon(why error) {
	c.out.Free()
	c.close(why)
	c.mu.Lock()
	c.flushing = false
	c.mu.Unlock()
	c.changed.Broadcast()
}

// flush has the writing role: it builds and writes answers from the head of the
// queue while they are ready, then gives the role up.
func (c *conn) flush() {
	for {
		ready, err := c.buildNext()
		if err == nil && (len(c.out.Buf) >= writeFrom || len(c.out.Parts) > 0 || !ready && len(c.out.Buf) > 0) {
			err = c.write()
		}
		if err != nil {
			c.abandon(err)
			return
		}
		if !ready && c.passRole() {
			return
		}
	}
}

// buildNext builds the head of the queue if it is ready; false when it is not
// (or had to wait again).
func (c *conn) buildNext() (bool, error) {
	c.mu.Lock()
	if c.closed || !c.headReady() {
		c.mu.Unlock()
		return false, nil
	}
	s := *c.queue.front()
	c.mu.Unlock()
	if !s.answer.Place().Take() {
		return false, nil
	}
	if c.out.Buf == nil {
		c.out.Begin(firstOut)
	}
	done, err := s.answer.Build(&c.out.Out)
	if done || err != nil {
		c.pop()
		c.door.m.answered(s, c.door.o.Now())
	}
	if err != nil {
		return false, fmt.Errorf("answer of %s: %w", s.row.name, err)
	}
	return true, nil // when it must wait on, its ticket tells whether that is over already
}

// passRole gives the writing role up unless something became ready meanwhile.
func (c *conn) passRole() bool {
	c.out.Free()
	c.mu.Lock()
	if !c.closed && c.headReady() {
		c.mu.Unlock()
		return false
	}
	c.flushing = false
	awaited := c.closed || c.parting.Load()
	c.mu.Unlock()
	if awaited {
		c.changed.Broadcast() // finish and settle wait for this
	}
	return true
}

// write sends everything gathered and empties it.
func (c *conn) write() error {
	at := 0
	for i := range c.out.Parts {
		p := &c.out.Parts[i]
		if err := c.sendBytes(c.out.Buf[at:p.At], true); err != nil {
			return err
		}
		at = p.At
		if err := c.sendSlice(&p.Slice, i+1 < len(c.out.Parts) || at < len(c.out.Buf)); err != nil {
			return err
		}
	}
	err := c.sendBytes(c.out.Buf[at:], false)
	c.out.Reset()
	return err
}

// sendBytes writes b; more says that something follows at once.
func (c *conn) sendBytes(b []byte, more bool) error {
	if len(b) == 0 {
		return nil
	}
	c.writingSince.Store(max(1, c.door.clock()))
	defer c.writingSince.Store(0)
	if err := c.out.sink.bytes(b, more); err != nil {
		return fmt.Errorf("write an answer: %w", err)
	}
	c.door.m.sent(len(b))
	return nil
}
