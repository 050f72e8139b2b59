package txn

import (
	"math"

	"ottla/internal/wire"
)

// end steps an End.
func (t *turn) end(c *End) error {
	e := t.m.ids[c.ID]
	switch {
	case c.ID == "":
		return wire.InvalidRequest
	case e == nil:
		return wire.InvalidProducerIDMapping
	case c.Version >= V2:
		return t.endV2(c, e)
	case e.producerID != c.ProducerID:
		return wire.InvalidProducerIDMapping
	case e.epoch != c.Epoch:
		return wire.ProducerFenced
	}
	switch e.state {
	case Ongoing:
		t.endBy(c, e, V0, -1)
		return nil
	case c.outcome().completed():
		t.answer(EndReply{-1, -1})
		return nil
	case c.outcome():
		t.waitForEnd(e)
		return nil
	}
	return c.refusal(e)
}

// outcome is the state of the decision.
func (c *End) outcome() State {
	if c.Commit {
		return PrepareCommit
	}
	return PrepareAbort
}

// completed is the state in which a decision is carried out.
func (s State) completed() State {
	if s == PrepareCommit {
		return CompleteCommit
	}
	return CompleteAbort
}

// refusal is the answer to an end that does not fit the state.
func (c *End) refusal(e *entry) error {
	return wire.Errorf(wire.InvalidTxnState, "transactional id %s is in state %s; it cannot go to %s", c.ID, e.state, c.outcome())
}

// endV2 is end for clients of KIP-890, part 2. An end raises the epoch, so that
// one with the epoch before is a repeated request, and one with the epoch at
// hand is a new one:
//
//	               Abort                     Commit
//	               repeated   at hand        repeated   at hand
//	Empty          fenced     epoch rises    fenced     INVALID_TXN_STATE
//	CompleteAbort  as before  epoch rises    INVALID    INVALID_TXN_STATE
//	CompleteCommit INVALID    epoch rises    as before  INVALID_TXN_STATE
//
// A client may abort without knowing whether it has begun anything.
func (t *turn) endV2(c *End, e *entry) error {
	overflowed := e.previousID == c.ProducerID && c.Epoch == lastEpoch && e.epoch == 0
	repeated := overflowed || e.epoch == c.Epoch+1
	switch {
	case e.producerID != c.ProducerID && !overflowed:
		return wire.InvalidProducerIDMapping
	case !validEpoch(e, c.Epoch, repeated):
		return wire.ProducerFenced
	}
	switch {
	case e.state == c.outcome():
		t.waitForEnd(e)
		return nil
	case repeated && e.state == c.outcome().completed():
		t.answer(EndReply{e.producerID, e.epoch})
		return nil
	case e.state == Ongoing, e.state.over() && !c.Commit && !repeated:
		next := int64(-1)
		if exhausted(e.epoch) {
			if next = c.FreshID; next < 0 {
				return ErrNeedsProducerID
			}
		}
		t.endBy(c, e, V2, next)
		return nil
	}
	return c.refusal(e)
}

// endBy decides what the client asks for; it is answered when that is complete.
func (t *turn) endBy(c *End, e *entry, version int16, nextID int64) {
	if done := t.decide(c.ID, e, c.outcome(), version, nextID); done != nil {
		t.answer(done.reply())
		return
	}
	t.waitForEnd(e)
}

// validEpoch tells whether the epoch of an End is one that the state allows.
func validEpoch(e *entry, epoch int16, repeated bool) bool {
	switch e.state {
	case PrepareCommit, PrepareAbort:
		return e.epoch == epoch+1
	case CompleteCommit, CompleteAbort:
		return repeated || e.epoch == epoch
	}
	return e.epoch == epoch
}

// fence decides that what is open is aborted, and takes the epoch from whoever
// has it: for another producer, or because time has run out.
func (t *turn) fence(id string, e *entry) {
	if t.m.o.Level() >= V2 {
		t.decide(id, e, PrepareAbort, V2, -1)
		return
	}
	fenced := *e.meta
	if fenced.epoch < math.MaxInt16 {
		fenced.epoch++
	}
	t.decide(id, &entry{meta: &fenced, last: -1}, PrepareAbort, V0, -1)
	t.keepLast(id, -1)
}

// decide stores an outcome; when that is committed, the markers are written.
// Without partitions there are none, and the end is complete at once: then it
// gives what that has come to.
func (t *turn) decide(id string, e *entry, outcome State, version int16, nextID int64) *meta {
	m := t.next(e.meta, outcome)
	m.client, m.nextID = version, nextID
	if version >= V2 {
		t.keepLast(id, e.epoch)
		if m.epoch < math.MaxInt16 {
			m.epoch++
		}
	}
	if e.state != Ongoing {
		m.startMs = m.updateMs // it may be aborted before it has begun
	}
	t.store(id, m)
	if len(m.parts) == 0 {
		t.timer(resumeKey{id}, 0, resume{id})
		return t.complete(id, m)
	}
	t.mark(id, m, t.m.coordinatorEpoch, true)
	return nil
}

// waitForEnd lets the caller wait for the end of the transaction.
func (t *turn) waitForEnd(e *entry) {
	if token := t.token; token != 0 {
		t.accepted(func() { e.enders = append(e.enders, token) })
	}
}

// reply is what an End of this transaction is answered with.
func (m *meta) reply() EndReply {
	if m.client < V2 {
		return EndReply{-1, -1}
	}
	return EndReply{m.producerID, m.epoch}
}
