package txn

import (
	"context"

	"ottla/internal/coordinator"
	"ottla/internal/wire"
)

// written is the result of writing a transaction's markers.
type written struct {
	id         string
	producerID int64
	epoch      int16
	outcome    State
	err        error
}

// mark has the markers of a decided transaction written, after the decision is
// committed.
func (t *turn) mark(id string, m *meta, coordinatorEpoch int32, committed bool) {
	markers := t.m.o.Markers
	marker := Marker{
		ID: id, ProducerID: m.producerID, ProducerEpoch: m.epoch, Commit: m.state == PrepareCommit,
		CoordinatorEpoch: coordinatorEpoch, Version: m.client, Partitions: m.parts,
	}
	result := written{id: id, producerID: m.producerID, epoch: m.epoch, outcome: m.state}
	t.out.Work = append(t.out.Work, coordinator.Work{
		Committed: committed,
		Begin: func(ctx context.Context, done func(any)) {
			markers.Write(ctx, marker, func(err error) {
				r := result
				r.err = err
				done(r)
			})
		},
	})
}

// loaded has the markers of all decided transactions written (again), and sets
// the clocks.
func (t *turn) loaded(c coordinator.Loaded) {
	m := t.m
	t.accepted(func() { m.coordinatorEpoch = c.LeaderEpoch })
	for _, id := range m.where(func(_ string, e *entry) bool { return e.state.decided() }) {
		t.mark(id, m.ids[id].meta, c.LeaderEpoch, false)
	}
	t.timer(checkKey{}, m.o.AbortInterval, checkDue{})
	t.timer(forgetKey{}, m.o.ForgetCheck, forgetDue{})
}

// written completes a transaction whose markers are all there, synced and
// visible. Whoever waits for that is told at once: it rests on the decision,
// which is committed, and not on the record that says that it is complete. If
// that one is lost, the markers are written again.
func (t *turn) written(c written) {
	e := t.m.ids[c.id]
	if e == nil || e.state != c.outcome || e.producerID != c.producerID || e.epoch != c.epoch {
		return
	}
	if c.err != nil {
		t.unwritten(c, e)
		return
	}
	m := t.complete(c.id, e.meta)
	t.out.Lazy = true
	for _, token := range e.enders {
		t.out.Replies = append(t.out.Replies, coordinator.Reply{Token: token, Body: m.reply(), Now: true})
	}
	t.accepted(func() { e.enders = nil })
	if len(e.parked) > 0 {
		t.timer(resumeKey{c.id}, 0, resume{c.id})
	}
}

// unwritten sends away who waits for markers that this coordinator may not
// write: a newer one ends the transaction. If this one is the newest after all
// (its topic was deleted and made again, and counts its epochs anew), it shall
// not stay undone for ever.
func (t *turn) unwritten(c written, e *entry) {
	for _, token := range e.enders {
		t.refuse(token, wire.Errorf(wire.NotCoordinator, "the markers of %s could not be written: %w", c.id, c.err))
	}
	t.accepted(func() { e.enders = nil })
	again := c
	again.err = nil
	t.timer(markKey{c.id}, markAgain, markDue{again})
}

// markDue writes markers again that could not be written.
func (t *turn) markDue(c markDue) {
	if e := t.m.ids[c.id]; e != nil && e.state == c.outcome && e.producerID == c.producerID && e.epoch == c.epoch {
		t.mark(c.id, e.meta, t.m.coordinatorEpoch, true)
	}
}

// complete stores that the end which decided stands for is carried out.
func (t *turn) complete(id string, decided *meta) *meta {
	m := t.next(decided, decided.state.completed())
	if m.nextID >= 0 {
		m.producerID, m.epoch = m.nextID, 0
	}
	m.nextID, m.parts = -1, nil
	t.store(id, m)
	t.noteEnded(id)
	return m
}
