package txn

import "ottla/internal/wire"

// owned finds the transactional id of a producer, or tells why it is not its.
func (t *turn) owned(id string, producerID int64, epoch int16) (*entry, error) {
	e := t.m.ids[id]
	switch {
	case id == "":
		return nil, wire.InvalidRequest
	case e == nil || e.producerID != producerID:
		return nil, wire.InvalidProducerIDMapping
	case e.epoch != epoch:
		return nil, wire.ProducerFenced
	}
	return e, nil
}

// add steps an Add.
func (t *turn) add(c *Add) error {
	e, err := t.owned(c.ID, c.ProducerID, c.Epoch)
	if err != nil {
		return err
	}
	if e.state.decided() {
		return t.park(c.ID, e, *c)
	}
	parts := e.parts.with(c.Partitions)
	if e.state == Ongoing && len(parts) == len(e.parts) {
		t.answer(nil)
		return nil
	}
	m := t.next(e.meta, Ongoing)
	if e.state.over() {
		m.startMs = m.updateMs
	}
	m.parts, m.client = parts, c.Version
	t.store(c.ID, m)
	t.answer(nil)
	return nil
}

// verify steps a Verify.
func (t *turn) verify(c *Verify) error {
	e, err := t.owned(c.ID, c.ProducerID, c.Epoch)
	if err != nil {
		return err
	}
	if e.state.decided() {
		return wire.ConcurrentTransactions
	}
	codes := make([]wire.Code, len(c.Partitions))
	for i, tp := range c.Partitions {
		if !e.parts.has(tp) {
			codes[i] = wire.TransactionAbortable
		}
	}
	t.answer(VerifyReply{codes})
	return nil
}
