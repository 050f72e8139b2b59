package timer

import (
	"context"

	"ottla/internal/coordinator"
	"ottla/internal/timer/schema"
)

// plan decides flights of targets that have none, and when the heap is looked at
// next.
func (t *turn) plan() {
	m := t.m
	n := min(len(m.runnable), mostPlanned)
	for _, g := range m.runnable[:n] {
		t.accepted(func() { g.listed = false })
		t.launch(g, g.Target)
	}
	t.accepted(func() {
		clear(m.runnable[:n])
		m.runnable = m.runnable[n:]
	})
	if len(m.runnable) > n {
		t.timer(planKey{}, 0, plan{})
	}
	if dueMs, ok := m.timers.Next(); ok {
		t.arm(dueMs)
	}
	t.lookSettled()
}

// launch decides the next flight of a target, which is d so far and has none;
// false when there is nothing that may go.
func (t *turn) launch(g *target, d schema.Target) bool {
	m := t.m
	if !g.stored {
		d.ProducerID = -1
	}
	if d.ProducerID < 0 {
		if m.producerID < 0 {
			t.identify()
			t.accepted(func() { m.list(g) })
			return false
		}
		d.ProducerID, d.Sequence = m.producerID, 0
	}
	// A topic that is not there may come to be; its Carrier says so.
	topic, ok := m.o.Topic(g.topic)
	if !ok {
		topic.MaxBatchBytes = mostFlightBytes
	}
	refs, n := m.next(g, d.Sequence, min(topic.MaxBatchBytes, mostFlightBytes))
	t.accepted(func() {
		if g.queue = g.queue[n:]; len(g.queue) == 0 {
			g.queue = nil
		}
	})
	if len(refs) == 0 {
		return false
	}
	t.accepted(func() { g.lone = max(g.lone-1, 0) })
	d.TopicID, d.TimeMs, d.Flight = topic.ID, t.wallMs(), refs
	t.write(schema.TargetKey(g.topic, g.index), schema.AppendTarget(nil, &d))
	t.carry(g, &d, false)
	return true
}

// next are the timers at the head of a target's queue that fit in a batch of most
// bytes, and how many places of the queue they take.
func (m *Machine) next(g *target, sequence int32, most int) (refs []schema.Ref, n int) {
	bytes, limit := batchOverhead, mostFlight
	if g.lone > 0 {
		limit = 1
	}
	for n < len(g.queue) && len(refs) < limit {
		q := g.queue[n]
		if !m.timers.Holds(q.ref, q.offset) || !m.timers.Taken(q.ref) {
			n++ // it was cancelled, or replaced
			continue
		}
		e := m.timers.Get(q.ref)
		if bytes += int(e.Size); len(refs) > 0 && (bytes > most || after(sequence, len(refs)) < sequence) {
			break
		}
		refs = append(refs, schema.Ref{Hash: e.Hash, Offset: e.Offset})
		n++
	}
	return refs, n
}

// carry has a flight carried; one that may have been before is decided and
// committed, the first time it is not yet.
func (t *turn) carry(g *target, d *schema.Target, again bool) {
	f := g.flight(t.m.o.Shard, d, again)
	carrier, at := t.m.o.Carrier, g.spot
	t.out.Work = append(t.out.Work, coordinator.Work{
		Committed: !again,
		Begin: func(ctx context.Context, done func(any)) {
			carrier.Carry(ctx, f, func(l Landed) { done(landed{at, f, l}) })
		},
	})
	t.accepted(func() { g.busy = true })
}

// identify fetches a producer id, unless that is under way.
func (t *turn) identify() {
	m := t.m
	if m.asking || t.asked {
		return
	}
	t.asked = true
	t.accepted(func() { m.asking = true })
	carrier := m.o.Carrier
	t.out.Work = append(t.out.Work, coordinator.Work{Begin: func(ctx context.Context, done func(any)) {
		carrier.ProducerID(ctx, func(id int64, err error) { done(identified{id, err}) })
	}})
}

// identified takes a producer id, or asks again a little later.
func (t *turn) identified(c identified) {
	m := t.m
	in := lastAgain
	t.accepted(func() { m.asking = false })
	if c.err == nil {
		in = 0
		t.accepted(func() { m.producerID = c.id })
	}
	t.timer(idKey{}, in, plan{})
}
