package broker

import (
	"context"
	"fmt"
	"time"

	"ottla/internal/log"
)

// pace is how often checkpoints are written, housekeeping is done, and the
// slow chores look whether they are due.
const pace = time.Second

// Start runs the loops until Close or until ctx ends: per directory one that
// syncs, one that keeps it and one that syncs closed segments in the background,
// one for the chores of all partitions, one that opens logs which could not be
// opened, one that moves partitions between directories, one that tells the controller of
// them, and one that cleans compacted logs.
func (b *Broker) Start(ctx context.Context) {
	for _, d := range b.dirs {
		b.loops.Go(func() { b.syncLoop(ctx, d) })
		keep, flush := func(time.Time) { b.Keep(d) }, func(time.Time) { b.flush(d) }
		b.hurriedLoop(ctx, pace, keep, keep, d.CheckpointDue(), func() { b.checkpoint(d) })
		b.loop(ctx, pace, flush, flush)
	}
	c := chores{b: b}
	b.loop(ctx, pace, c.step, c.all)
	b.loop(ctx, pace, b.OpenAgain, b.openNowAgain)
	b.loops.Go(func() { b.moveLoop(ctx) })
	b.loops.Go(func() { b.tellLoop(ctx) })
	clean := cleaners{b: b}
	b.loop(ctx, cleanPace, clean.step, clean.now)
}

// syncLoop runs a sync round whenever something waits for one; what comes
// while a round runs is the next one's. A directory that fails wakes it too.
func (b *Broker) syncLoop(ctx context.Context, d *log.Dir) {
	failed := d.Err() != nil // before the start: then the registration says so
	for {
		select {
		case <-d.Dirty():
			b.syncRound(d)
			if !failed && d.Err() != nil {
				failed = true
				b.dirFailed(ctx, d)
			}
		case <-b.stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

// loop runs step at the pace, and all when Settle asks for it: one goroutine
// for both.
func (b *Broker) loop(ctx context.Context, pace time.Duration, step, all func(time.Time)) {
	b.hurriedLoop(ctx, pace, step, all, nil, nil)
}

// hurriedLoop is loop with a third thing to do: hurry, when due says that it can
// not wait for the pace.
func (b *Broker) hurriedLoop(ctx context.Context, pace time.Duration, step, all func(time.Time), due <-chan struct{}, hurry func()) {
	asks := make(chan chan struct{})
	b.settling = append(b.settling, asks)
	b.loops.Go(func() {
		ticks, end := b.o.Tick(pace)
		defer end()
		for {
			select {
			case <-ticks:
				step(b.o.Now())
			case done := <-asks:
				all(b.o.Now())
				close(done)
			case <-due:
				hurry()
			case <-b.stop:
				return
			case <-ctx.Done():
				return
			}
		}
	})
}

// Keep does what a directory needs about once a second: its checkpoint, and
// housekeeping. The loops of Start do; it is for who steps the broker himself.
func (b *Broker) Keep(d *log.Dir) {
	b.checkpoint(d)
	if d.Err() != nil {
		return
	}
	if err := d.Housekeep(); err != nil && d.Err() == nil {
		b.o.Logger.Warn("housekeeping of the log directory failed", "dir", d.Path(), "err", err)
	}
}

// checkpoint writes what a restart goes by.
func (b *Broker) checkpoint(d *log.Dir) {
	if d.Err() != nil {
		return
	}
	if err := d.Checkpoint(b.highWatermark); err != nil && d.Err() == nil {
		b.o.Logger.Warn("checkpoint of the log directory failed", "dir", d.Path(), "err", err)
	}
}

// flush syncs closed segments that no sync round takes. It has a loop of its
// own: the sync of a large one may take seconds, and checkpoints go on.
func (b *Broker) flush(d *log.Dir) {
	if d.Err() != nil {
		return
	}
	if err := d.FlushClosed(); err != nil && d.Err() == nil {
		b.o.Logger.Warn("the sync of closed segments failed", "dir", d.Path(), "err", err)
	}
}

// highWatermark is for Kafka's replication-offset-checkpoint; -1 when unknown.
func (b *Broker) highWatermark(id log.Ident) int64 {
	if id.Topic == metadataTopic {
		return b.Image().Offset + 1
	}
	t := b.table.byID(id.ID)
	if t == nil || int(id.Partition) >= len(t.parts) || t.parts[id.Partition] == nil {
		return -1
	}
	return t.parts[id.Partition].p.Offsets().HighWatermark
}

// chores are what all partitions need every few minutes. It belongs to one
// goroutine.
type chores struct {
	b                 *Broker
	retained, expired time.Time // when each was done last; zero: begin counting now
}

// expiryInterval is how often silent producers are looked for. Kafka checks at
// the same interval and has no public setting for it.
const expiryInterval = 10 * time.Minute

// step does what is due.
func (c *chores) step(now time.Time) {
	if due(&c.retained, now, c.b.o.View.Duration(c.b.Image(), retentionInterval)) {
		c.retain()
	}
	if due(&c.expired, now, expiryInterval) {
		c.expire(now)
	}
}

// all does every chore now, and begins their intervals anew.
func (c *chores) all(now time.Time) {
	c.retained, c.expired = now, now
	c.retain()
	c.expire(now)
}

func (c *chores) retain() {
	for p := range c.b.Partitions() {
		if err := p.Retain(); err != nil {
			c.b.o.Logger.Warn("retention failed", "err", err)
		}
	}
}

func (c *chores) expire(now time.Time) {
	for p := range c.b.Partitions() {
		p.Expire(now)
	}
}

// due tells whether a chore's interval has passed, and begins the next.
func due(last *time.Time, now time.Time, interval time.Duration) bool {
	if last.IsZero() || now.Before(*last) { // a clock that was set back begins anew
		*last = now
		return false
	}
	if now.Sub(*last) < interval {
		return false
	}
	*last = now
	return true
}

// Settle does one round of all slow chores now, whatever their intervals say,
// and returns when it is done: housekeeping, retention, the expiry of silent
// producers, compaction. It is for a clock that was moved, after Start. Each
// loop does its own part, so nothing runs beside itself. It fails when ctx
// ends or the broker stops.
func (b *Broker) Settle(ctx context.Context) error {
	for _, asks := range b.settling {
		done := make(chan struct{})
		select {
		case asks <- done:
		case <-b.stop:
			return errStopping
		case <-ctx.Done():
			return fmt.Errorf("wait for the chores of the log directories: %w", ctx.Err())
		}
		select {
		case <-done: // a loop that took it up also ends it
		case <-ctx.Done():
			return fmt.Errorf("wait for the chores of the log directories: %w", ctx.Err())
		}
	}
	return nil
}
