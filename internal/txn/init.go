package txn

import (
	"ottla/internal/txn/schema"
	"ottla/internal/wire"
)

// init steps an Init.
func (t *turn) init(c *Init) error {
	switch {
	case c.ID == "" || !schema.Fits(c.ID):
		return wire.InvalidRequest
	case c.TimeoutMs <= 0 || int64(c.TimeoutMs) > t.m.o.MaxTimeout.Milliseconds():
		return wire.Errorf(wire.InvalidTransactionTimeout, "a transaction may take 1 ms to %d ms (transaction.max.timeout.ms), not %d",
			t.m.o.MaxTimeout.Milliseconds(), c.TimeoutMs)
	}
	e := t.m.ids[c.ID]
	switch {
	case e == nil:
		return t.initNew(c)
	case !c.continues(e):
		return wire.ProducerFenced
	case e.state.decided():
		return t.park(c.ID, e, *c)
	case e.state == Ongoing:
		if c.names() && c.Epoch != e.epoch {
			return wire.ProducerFenced // it has been fenced already and may end nothing
		}
		if err := t.park(c.ID, e, *c); err != nil {
			return err
		}
		t.fence(c.ID, e)
		return nil
	}
	return t.initAgain(c, e)
}

// names tells whether the producer says what it has (KIP-360).
func (c *Init) names() bool { return c.ProducerID >= 0 && c.Epoch >= 0 }

// continues tells whether what a producer says that it has may be its own: the
// producer id at hand, or the one before if its epochs were used up and the
// answer that brought the new one was lost.
func (c *Init) continues(e *entry) bool {
	return !c.names() || c.ProducerID == e.producerID || c.ProducerID == e.previousID && exhausted(c.Epoch)
}

// initNew begins a transactional id.
func (t *turn) initNew(c *Init) error {
	if c.FreshID < 0 {
		return ErrNeedsProducerID
	}
	m := &meta{
		state: Empty, producerID: c.FreshID, previousID: c.FreshID, nextID: -1, nextEpoch: -1,
		timeoutMs: c.TimeoutMs, updateMs: t.wallMs(), startMs: -1,
	}
	t.store(c.ID, m)
	t.keepLast(c.ID, -1)
	t.answer(InitReply{m.producerID, m.epoch})
	return nil
}

// initAgain gives an epoch to a producer whose transactional id has nothing
// open: the next one, that of a producer id which is new when the epochs are
// used up, or for a repeated request the same again.
func (t *turn) initAgain(c *Init, e *entry) error {
	m := t.next(e.meta, Empty)
	m.timeoutMs, m.parts, m.startMs = c.TimeoutMs, nil, -1
	last := int16(-1)
	switch {
	case c.names() && c.Epoch != e.epoch:
		if c.Epoch != e.last {
			return wire.ProducerFenced
		}
		last = e.last
	case exhausted(e.epoch):
		if c.FreshID < 0 {
			return ErrNeedsProducerID
		}
		m.producerID, m.epoch = c.FreshID, 0
		last = e.epoch
	default:
		m.epoch++
		last = e.epoch
	}
	if !c.names() {
		last = -1
	}
	t.store(c.ID, m)
	t.keepLast(c.ID, last)
	t.answer(InitReply{m.producerID, m.epoch})
	return nil
}
