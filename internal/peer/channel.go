package peer

import (
	"context"
	"log/slog"
	"sync"
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
		if ch.pausing(ch.pool.o.Now()) || !ch.pool.begin() {
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

// run makes the connection and writes until it ends.
func (ch *channel) run() {
	defer ch.pool.wg.Done()
	ctx, cancel := context.WithTimeout(ch.pool.ctx, dialTime)
	c, err := ch.pool.open(ctx, ch.node, protoRaft)
	cancel()
	if err != nil {
		ch.end(err)
		return
	}
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
	ch.end(nil)
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

// end notes that there is no connection any more; what waited is dropped.
func (ch *channel) end(err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.running, ch.conn, ch.out = false, nil, nil
	if err != nil {
		ch.backoff.failed(ch.pool.o.Now(), err)
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
