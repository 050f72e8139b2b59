package peer

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxChannel bounds the frames that wait for one node. A frame alone may be
// larger: one entry of the log is the largest there is.
const maxChannel = 8 << 20

// channel carries the quorum's frames to one node, one way. Frames may be lost,
// but not reordered and not cut. While it is up it has two goroutines: one
// writes, one waits for the other end's close, which nobody else would notice.
type channel struct {
	pool *Pool
	node int32
	wake chan struct{}

	mu      sync.Mutex // guards all below
	running bool
	closed  bool
	conn    *Conn
	out     []byte
	backoff
}

// post takes a frame, or drops it.
func (ch *channel) post(frame []byte) {
	if len(frame) > MaxFrame {
		ch.pool.o.Logger.Error("a frame of the metadata quorum is too large to be sent", slog.Int("node", int(ch.node)), slog.Int("bytes", len(frame)))
		return
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.closed || len(ch.out) > 0 && len(ch.out)+len(frame) > maxChannel {
		return
	}
	if !ch.running {
		if !ch.pool.begin() {
			return
		}
		ch.running = true
		go ch.run()
	}
	ch.out = appendFrame(ch.out, frame)
	select {
	case ch.wake <- struct{}{}:
	default:
	}
}

// run makes the connection and writes until it ends, and again while frames wait.
func (ch *channel) run() {
	defer ch.pool.wg.Done()
	for ch.rest() {
		ch.mu.Lock()
		waited := len(ch.out)
		ch.mu.Unlock()
		ctx, cancel := context.WithTimeout(ch.pool.ctx, dialTime)
		c, err := ch.pool.open(ctx, ch.node, protoRaft)
		cancel()
		if err != nil {
			ch.failed(waited, err)
		} else {
			ch.serve(c)
		}
		if !ch.again() {
			return
		}
	}
}

// rest lets the pause after a try that failed go by. What is posted meanwhile waits: a
// vote that is dropped costs the quorum a whole election. False when the pool was
// closed.
func (ch *channel) rest() bool {
	ch.mu.Lock()
	now := ch.pool.o.Now()
	pause := time.Duration(0)
	if ch.pausing(now) {
		pause = min(ch.until.Sub(now), lastBackoff)
	}
	ch.mu.Unlock()
	if pause <= 0 {
		return true
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ch.pool.ctx.Done():
		return false // the pool is closed, and takes nothing any more
	}
}

// failed notes a try that came to nothing. The first bytes of out have waited for all
// of it and are dropped; what came meanwhile is for the next one.
func (ch *channel) failed(bytes int, err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.out = append([]byte(nil), ch.out[bytes:]...)
	ch.backoff.failed(ch.pool.o.Now(), err)
}

// again tells whether frames wait for another connection; if not, the channel is down
// until one comes.
func (ch *channel) again() bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if len(ch.out) > 0 && !ch.closed {
		return true
	}
	ch.running, ch.out = false, nil
	return false
}

// serve writes on a connection until it ends.
func (ch *channel) serve(c *Conn) {
	ch.mu.Lock()
	ch.conn = c
	closed := ch.closed
	ch.backoff.clear()
	ch.mu.Unlock()
	if closed {
		_ = c.Close()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var one [1]byte
		_, _ = c.Read(one[:]) // nothing is ever sent this way
		_ = c.Close()
	}()
	ch.write(c, ended)
	_ = c.Close()
	<-ended
	ch.mu.Lock()
	ch.conn = nil
	ch.mu.Unlock()
}

// write sends frames until the connection ends.
func (ch *channel) write(c *Conn, ended <-chan struct{}) {
	var spare []byte
	for {
		ch.mu.Lock()
		out := ch.out
		ch.out = spare[:0]
		ch.mu.Unlock()
		spare = nil
		if len(out) == 0 {
			select {
			case <-ch.wake:
				continue
			case <-ended:
				return
			}
		}
		if _, err := c.Write(out); err != nil {
			return
		}
		if cap(out) <= writeAhead {
			spare = out
		}
	}
}

// close ends it for good.
func (ch *channel) close() {
	ch.mu.Lock()
	ch.closed = true
	ch.mu.Unlock()
	ch.cut()
}

// cut ends the connection as a broken network does.
func (ch *channel) cut() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.conn != nil {
		_ = ch.conn.Close()
	}
}
