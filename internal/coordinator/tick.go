package coordinator

import (
	"errors"
	"time"
)

// timerRetry is how long a timer waits whose records were refused.
const timerRetry = 500 * time.Millisecond

// workKey names the result of a piece of work whose records were refused.
type workKey struct{ n uint64 }

// tick does what the clock asks for: a load that is due, and timers that are.
func (c *core) tick(now time.Time) {
	if c.again && c.underWay == 0 && !c.retry.After(now) {
		c.load(now)
	}
	for c.phase == active {
		t, ok := c.timers.due(now)
		if !ok {
			return
		}
		c.fire(now, t)
	}
}

// fire steps a command that nobody waits for: a timer's, or a result of work.
// When the machine itself refuses it, that is all; when its records are
// refused, it comes again, unless the machine has set another under its key.
func (c *core) fire(now time.Time, t Timer) {
	out, err := c.machine.Step(now, Command{Wall: c.date(now), Body: t.Body})
	if err != nil {
		c.logger.Debug("a coordinator's machine refused its timer", "topic", c.topic, "partition", c.partition, "err", err)
		return
	}
	err = c.carry(now, &out)
	if err != nil && !errors.Is(err, errLost) && !c.timers.has(t.Key) {
		t.At = now.Add(timerRetry)
		c.timers.put(t)
	}
}

// next is when the clock must be looked at again; false for never.
func (c *core) next() (time.Time, bool) {
	switch {
	case c.again:
		return c.retry, c.underWay == 0 // the end of what is under way wakes, too
	case c.phase != active:
		return time.Time{}, false
	}
	at, ok := c.timers.next(), len(c.timers.order) > 0
	if !c.lazyBy.IsZero() && (!ok || c.lazyBy.Before(at)) {
		return c.lazyBy, true
	}
	return at, ok
}
