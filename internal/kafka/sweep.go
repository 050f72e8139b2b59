package kafka

import (
	"errors"
	"time"
)

// Why the sweeper closes connections.
var (
	errIdle    = errors.New("connections.max.idle.ms passed without a request")
	errStalled = errors.New("the client does not read its answers")
)

// sweepLoop looks for idle and stalled connections until the door closes. One
// slow clock for all costs less than a deadline on every read and write.
func (d *Door) sweepLoop() {
	defer d.wg.Done()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.sweep()
		case <-d.quit:
			return
		}
	}
}

// sweep closes what is idle or stalled now.
func (d *Door) sweep() {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		if err := c.overdue(now); err != nil {
			d.m.swept()
			c.close(err)
		}
	}
}

// overdue says why the connection should end, or nil.
func (c *conn) overdue(now int64) error {
	if since := c.writingSince.Load(); since != 0 && now-since > int64(stalled) {
		return errStalled
	}
	idle := int64(c.door.limits.idle)
	if c.info.Node >= 0 {
		return nil // keep-alive finds nodes that are gone
	}
	if idle <= 0 || now-c.lastActive.Load() <= idle {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue.len() > 0 || c.handling {
		return nil // it waits for us, not we for it
	}
	return errIdle
}
