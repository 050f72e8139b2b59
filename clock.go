package ottla

import (
	"context"
	"time"

	"ottla/internal/clock"
)

// Clock is the time of day as nodes see it where they mean data: the times of
// records (LogAppendTime, and how far a producer's may be off), retention,
// timers, delays and schedules, segment age, the expiry of offsets, of silent producers and of transactional
// ids, how long a transaction may be open, the lags of compaction. It runs on
// with real time and can be moved.
//
// What tells the living from the dead (sessions, rebalances, time-outs of
// connections and requests) never goes by it: moving the clock a week throws no
// member out of its group.
//
// The zero value shows the real time. One clock may serve many nodes. It may be
// used from any goroutine.
type Clock struct{ domain clock.Clock }

// of is what nodes have of it.
func (c *Clock) of() *clock.Clock {
	if c == nil {
		return nil
	}
	return &c.domain
}

// Now is the time that the clock shows.
func (c *Clock) Now() time.Time { return c.of().Now() }

// Advance moves the clock by d, back if that is negative, and returns when what
// became due has settled on every running node. On its way it halts at each time at
// which a timer, a schedule or the lock of a message is due, until what is due has
// been done: what is due later comes later, and sees the clock at its own time. At the
// end comes one round of housekeeping: retention, producer expiry, compaction, offset
// expiry and the abort of transactions that ran out of time. An error tells what could
// not settle; the clock has moved all the same.
func (c *Clock) Advance(ctx context.Context, d time.Duration) error { return c.domain.Advance(ctx, d) }

// Set lets the clock show t, from where it runs on, and settles as Advance does.
func (c *Clock) Set(ctx context.Context, t time.Time) error { return c.domain.Set(ctx, t) }
