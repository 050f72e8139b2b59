package pipe

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// bufferSize is what one direction holds before writers wait, about what a
// loopback socket buffer does.
const bufferSize = 256 << 10

// smallBuffer is what a direction keeps that holds nothing. What is more is lent to it
// for as long as there is something in it.
const smallBuffer = 4096

var lent = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// errClosed is what net.Pipe says, and what connections say over a network: by that
// clients know one that is broken, and try again by another.
var errClosed = fmt.Errorf("%w: %w", io.ErrClosedPipe, net.ErrClosed)

// half is one direction.
type half struct {
	mu      sync.Mutex // guards all below
	changed sync.Cond
	buf     []byte // unread bytes are buf[at:]
	at      int
	ended   bool // the writer closed
	dropped bool // the reader closed
	readBy  deadline
	writeBy deadline
}

// deadline is a moment after which waiting fails.
type deadline struct {
	passed bool
	timer  *time.Timer
	serial int // tells a stale timer from the current one
}

func newHalf() *half {
	h := &half{}
	h.changed.L = &h.mu
	return h
}

// read implements Conn.Read.
func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	if err := h.awaitBytes(); err != nil {
		return 0, err
	}
	n := copy(p, h.buf[h.at:])
	if h.at += n; h.at == len(h.buf) {
		h.giveBack()
	}
	h.changed.Broadcast()
	return n, nil
}

// giveBack empties the buffer; the lock is held.
func (h *half) giveBack() {
	h.at, h.buf = 0, h.buf[:0]
	if cap(h.buf) == bufferSize {
		lent.Put((*[bufferSize]byte)(h.buf[:bufferSize]))
	}
	if cap(h.buf) > smallBuffer {
		h.buf = nil
	}
}

// grow makes room for so many more bytes; the lock is held.
func (h *half) grow(n int) {
	if need := len(h.buf) - h.at + n; need > smallBuffer && cap(h.buf) < bufferSize {
		room := lent.Get().(*[bufferSize]byte)
		h.buf, h.at = room[:copy(room[:], h.buf[h.at:])], 0
	}
	if h.at > 0 && len(h.buf)+n > cap(h.buf) {
		h.buf = h.buf[:copy(h.buf, h.buf[h.at:])]
		h.at = 0
	}
}

// waitReadable implements Conn.WaitReadable.
func (h *half) waitReadable() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.awaitBytes(); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// awaitBytes waits until there is something to read; the lock is held.
func (h *half) awaitBytes() error {
	for {
		switch {
		case h.dropped:
			return errClosed
		case h.readBy.passed:
			return os.ErrDeadlineExceeded
		case h.at < len(h.buf):
			return nil
		case h.ended:
			return io.EOF
		}
		h.changed.Wait()
	}
}

// write implements Conn.Write.
func (h *half) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	done := 0
	for {
		switch {
		case h.ended || h.dropped:
			return done, errClosed
		case h.writeBy.passed:
			return done, os.ErrDeadlineExceeded
		}
		if room := bufferSize - (len(h.buf) - h.at); room > 0 {
			n := min(room, len(p)-done)
			h.grow(n)
			h.buf = append(h.buf, p[done:done+n]...)
			done += n
			h.changed.Broadcast()
		}
		if done == len(p) {
			return done, nil
		}
		h.changed.Wait()
	}
}

// closeWrite says that no more bytes come, closeRead that none are wanted.
func (h *half) closeWrite() {
	h.mu.Lock()
	h.ended = true
	h.stopTimers()
	h.mu.Unlock()
	h.changed.Broadcast()
}

func (h *half) closeRead() {
	h.mu.Lock()
	h.dropped, h.buf, h.at = true, nil, 0
	h.stopTimers()
	h.mu.Unlock()
	h.changed.Broadcast()
}

// stopTimers leaves no timer behind a closed direction; the lock is held. The
// other end, when it still reads, loses its deadline but meets the end first.
func (h *half) stopTimers() {
	for _, d := range []*deadline{&h.readBy, &h.writeBy} {
		if d.timer != nil {
			d.timer.Stop()
		}
	}
}

// setDeadline replaces a deadline and wakes who waits on the old one.
func (h *half) setDeadline(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.serial++
	d.passed = false
	if !t.IsZero() && !h.ended && !h.dropped {
		if wait := time.Until(t); wait <= 0 {
			d.passed = true
		} else {
			serial := d.serial
			d.timer = time.AfterFunc(wait, func() { h.pass(d, serial) })
		}
	}
	h.changed.Broadcast()
}

// pass marks a deadline as passed unless it was replaced.
func (h *half) pass(d *deadline, serial int) {
	h.mu.Lock()
	if d.serial == serial {
		d.passed = true
	}
	h.mu.Unlock()
	h.changed.Broadcast()
}
