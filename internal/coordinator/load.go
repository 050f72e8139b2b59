package coordinator

import (
	"context"
	"fmt"
	"time"

	"ottla/internal/record"
	"ottla/internal/wire"
)

// loadedKey is the timer whose command is Loaded.
type loadedKey struct{}

// lead begins a leadership: whatever was is forgotten, and the log is loaded.
func (c *core) lead(ctx context.Context, now time.Time, t Tail) {
	c.drop(errIdle)
	c.tail, c.ctx, c.careful, c.attempts = t, ctx, false, 0
	if c.underWay > 0 {
		c.again, c.retry = true, time.Time{}
		c.enter(loading)
		return
	}
	c.load(now)
}

// resign ends a leadership; why is told to everyone who waits.
func (c *core) resign(why error) {
	c.drop(why)
	c.enter(idle)
}

// drop ends what there is of a leadership, and shows nothing: between two
// leaderships nobody may find that there is none.
func (c *core) drop(why error) {
	if c.phase != idle {
		c.forget(why)
		c.tail, c.again = nil, false
	}
}

// close ends the core with the node. What was accepted and waits for company is
// written; the log's own end syncs it.
func (c *core) close() {
	if c.phase == active {
		c.flush()
	}
	c.resign(errClosed)
}

// load waits until everything that the log holds at this moment is committed:
// nothing that is read can be undone then.
func (c *core) load(now time.Time) {
	c.again, c.loadTo = false, c.tail.End()
	c.lifeCtx, c.endLife = context.WithCancel(c.ctx)
	c.enter(loading)
	done, err := c.tail.Await(&flight{synced: c.synced, life: c.life, end: c.loadTo}, c.loadTo)
	if done || err != nil {
		c.read(now, err)
	}
}

// read applies the log, or notes why it cannot be read.
func (c *core) read(now time.Time, err error) {
	if err == nil {
		c.from = c.restore()
		err = c.tail.Replay(c.ctx, c.from, c.loadTo, c.replay)
	}
	if err != nil {
		c.unread(now, err)
		return
	}
	c.attempts = 0
	c.accepted, c.written, c.committed = c.loadTo, c.loadTo, c.loadTo
	c.metrics.Loads.Inc()
	c.logger.Debug("coordinator is loaded", "topic", c.topic, "partition", c.partition,
		"leader_epoch", c.tail.LeaderEpoch(), "offset", c.loadTo)
	c.timers.put(Timer{Key: loadedKey{}, At: now, Body: Loaded{LeaderEpoch: c.tail.LeaderEpoch()}})
	c.enter(active)
}

// unread is a load that failed.
func (c *core) unread(now time.Time, err error) {
	c.forget(errFailed)
	if over(err) || c.ctx.Err() != nil {
		c.tail = nil
		c.enter(idle)
		return
	}
	c.metrics.LoadsFailed.Inc()
	c.again, c.retry = true, now.Add(pause(c.attempts))
	c.attempts++
	c.logger.Error("coordinator cannot read its partition; its groups are not served, and it tries again",
		"topic", c.topic, "partition", c.partition, "err", err)
	c.enter(failed)
}

// pause is how long to wait after n loads have failed before.
func pause(n int) time.Duration { return time.Second << min(n, 6) }

// replay applies one committed batch.
func (c *core) replay(batch []byte) error {
	h, err := record.ParseHeader(batch)
	if err != nil {
		return fmt.Errorf("a batch of %s-%d: %w", c.topic, c.partition, err)
	}
	if h.Control() {
		return c.replayControl(&h, batch)
	}
	var txn *Txn
	if h.Transactional() {
		txn = &Txn{ProducerID: h.ProducerID, ProducerEpoch: h.ProducerEpoch}
	}
	c.wroteBytes(len(batch))
	err = record.Walk(batch, 0, func(r *record.Record) bool {
		offset := h.BaseOffset + int64(r.OffsetDelta)
		if offset < c.from {
			return true // the snapshot has it
		}
		c.machine.Apply(Record{Key: r.Key, Value: r.Value, Offset: offset, Txn: txn})
		return true
	})
	if err != nil {
		return wire.Errorf(wire.CorruptMessage, "the batch at offset %d of %s-%d: %w", h.BaseOffset, c.topic, c.partition, err)
	}
	return nil
}

// replayControl applies the end of a transaction; other control records tell
// a coordinator nothing.
func (c *core) replayControl(h *record.Header, batch []byte) error {
	if h.Count == 0 {
		return nil // compaction took the marker and left its batch
	}
	kind, err := record.ControlType(batch)
	if err != nil {
		return wire.Errorf(wire.CorruptMessage, "the control batch at offset %d of %s-%d: %w", h.BaseOffset, c.topic, c.partition, err)
	}
	if kind != record.ControlAbort && kind != record.ControlCommit {
		return nil
	}
	commit, epoch, err := record.ParseEndTxnMarker(batch)
	if err != nil {
		return wire.Errorf(wire.CorruptMessage, "the marker at offset %d of %s-%d: %w", h.BaseOffset, c.topic, c.partition, err)
	}
	end := TxnAbort
	if commit {
		end = TxnCommit
	}
	c.machine.Apply(Record{Offset: h.BaseOffset, Txn: &Txn{ProducerID: h.ProducerID, ProducerEpoch: h.ProducerEpoch, End: end, CoordinatorEpoch: epoch}})
	return nil
}
