package coordinator

import (
	"errors"
	"time"

	"ottla/internal/record"
	"ottla/internal/wire"
)

// recordOverhead is the most that a record takes beside its key and value:
// five varints and the attributes.
const recordOverhead = 32

// errLost tells that everything accepted was lost; whoever waited knows.
var errLost = errors.New("the shard has forgotten everything")

// accept gives a command's records their place in the log and applies them.
// An error that is not errLost is the refusal of that command alone, and
// nothing has changed.
func (c *core) accept(now time.Time, records []Record) error {
	size := record.HeaderSize
	for _, r := range records {
		size += len(r.Key) + len(r.Value) + recordOverhead
	}
	if limit := c.tail.MaxBatchBytes(); size > limit {
		return wire.Errorf(wire.MessageTooLarge, "the command needs %d bytes in %s-%d, where a batch may have %d (max.message.bytes)",
			size, c.topic, c.partition, limit)
	} else if c.builder.Len() > 0 && c.builder.Size()+size > limit && !c.flush() {
		return errLost
	}
	if err := c.tail.Check(); err != nil {
		return c.refused(err)
	}
	if records[0].Txn != nil || c.careful {
		return c.acceptAlone(now, records)
	}
	c.add(now, records)
	c.apply(records)
	c.accepted += int64(len(records))
	return nil
}

// acceptAlone writes a command's records as a batch of their own before they
// are applied, so that whatever the log says against them costs nobody else.
func (c *core) acceptAlone(now time.Time, records []Record) error {
	if !c.flush() {
		return errLost
	}
	var batch []byte
	t := records[0].Txn
	if t != nil && t.End != TxnData {
		batch = record.EndTxnMarker(t.ProducerID, t.ProducerEpoch, t.End == TxnCommit, t.CoordinatorEpoch, now.UnixMilli())
	} else {
		if t != nil {
			c.builder.ProducerID, c.builder.ProducerEpoch, c.builder.Transactional = t.ProducerID, t.ProducerEpoch, true
		}
		c.add(now, records)
		batch = c.builder.Build(0)
		c.builder.ProducerID, c.builder.ProducerEpoch, c.builder.Transactional = -1, -1, false
	}
	base, end, err := c.tail.Append(batch, t)
	if err != nil {
		return c.refused(err)
	}
	c.careful = false
	c.wroteBytes(len(batch))
	c.apply(records)
	c.accepted += int64(len(records))
	if !c.wrote(base, end) {
		return errLost
	}
	return nil
}

func (c *core) add(now time.Time, records []Record) {
	ms := now.UnixMilli()
	for _, r := range records {
		c.builder.Add(ms, r.Key, r.Value)
	}
}

// apply gives records to the machine that were accepted, and not counted yet.
func (c *core) apply(records []Record) {
	for i, r := range records {
		r.Offset = c.accepted + int64(i)
		c.machine.Apply(r)
	}
}

// refused sorts what the log says before anything is accepted: a leadership
// that is over ends everything, all else is that command's alone.
func (c *core) refused(err error) error {
	if over(err) {
		c.lose(err)
		return errLost
	}
	return err
}

// over tells that a tail's leadership has ended.
func over(err error) bool {
	switch wire.CodeOf(err) {
	case wire.NotLeaderOrFollower, wire.FencedLeaderEpoch, wire.UnknownTopicOrPartition:
		return true
	}
	return false
}

// flush writes what was accepted, as one batch; false when everything was
// lost.
func (c *core) flush() bool {
	if c.builder.Len() == 0 {
		return true
	}
	batch := c.builder.Build(0)
	c.hurry, c.lazyBy = false, time.Time{}
	base, end, err := c.tail.Append(batch, nil)
	if err != nil {
		c.lose(err)
		return false
	}
	c.wroteBytes(len(batch))
	return c.wrote(base, end)
}

// wrote notes a batch that the log took and waits for its commitment.
func (c *core) wrote(base, end int64) bool {
	if base != c.written || end != c.accepted {
		// Somebody else wrote: the machine does not know what.
		c.lose(wire.Errorf(wire.NotCoordinator, "%s-%d was written to by another: a batch is at %d-%d, expected at %d-%d",
			c.topic, c.partition, base, end, c.written, c.accepted))
		return false
	}
	c.written = end
	return c.await(end)
}

// flight is a wait for the log.
type flight struct {
	synced func(*flight)
	life   uint64
	end    int64
	err    error
}

// Committed implements Waiter.
func (f *flight) Committed(err error) {
	f.err = err
	f.synced(f)
}

// await asks to be told when everything below end is committed; false when
// everything was lost.
func (c *core) await(end int64) bool {
	done, err := c.tail.Await(&flight{synced: c.synced, life: c.life, end: end}, end)
	if err != nil {
		c.lose(err)
		return false
	}
	if done {
		c.committed = max(c.committed, end)
	}
	return true
}

// committedTo takes the end of a flight: replies leave, or everything that was
// not committed is lost, or a load goes on.
func (c *core) committedTo(now time.Time, f *flight) {
	switch {
	case f.life != c.life || c.phase == idle:
	case c.phase == loading:
		c.read(now, f.err)
	case f.err != nil:
		c.lose(f.err)
	default:
		c.committed = max(c.committed, f.end)
		c.release()
	}
}

// lose is the end of what was accepted and is not committed: there is no way
// back but to forget all and to read what the log really holds.
func (c *core) lose(cause error) {
	c.logger.Warn("coordinator forgets and loads again", "topic", c.topic, "partition", c.partition, "err", cause)
	c.careful = !over(cause)
	if over(cause) {
		c.forget(lost(cause))
		// The broker will say who leads.
		c.tail = nil
		c.enter(idle)
		return
	}
	// The phase comes first, so that whoever is told and waits for the end of
	// the load (Settle) finds that there is one.
	c.again, c.retry = true, time.Time{}
	c.enter(loading)
	c.forget(lost(cause))
}
