package timer

import (
	"ottla/internal/coordinator"
	"ottla/internal/timer/schema"
	"ottla/internal/timer/table"
	"ottla/internal/wire"
)

// set steps a Set.
func (t *turn) set(c *Set) error {
	for i := range c.Timers {
		if g := t.m.flying[hashOf(c.Timers[i].Key)]; g != nil {
			return t.park(g, *c)
		}
	}
	t.answer(t.store(c.Timers))
	return nil
}

// store writes timers and gives an error or nil for each.
func (t *turn) store(timers []Timer) []error {
	errs := make([]error, len(timers))
	first := int64(0)
	for i := range timers {
		x := &timers[i]
		v := schema.Timer{
			DueMs: x.DueMs, Topic: x.Topic, Partition: x.Partition, RecordKey: x.RecordKey, Value: x.Value, Headers: x.Headers,
		}
		if errs[i] = t.m.check(x, v.Size()); errs[i] != nil {
			continue
		}
		t.write(schema.TimerKey(x.Key), schema.AppendTimer(nil, &v))
		if len(t.out.Records) == 1 || x.DueMs < first {
			first = x.DueMs
		}
	}
	if len(t.out.Records) > 0 {
		t.armFor(first)
	}
	return errs
}

// check tells why a timer cannot be set.
func (m *Machine) check(x *Timer, size int) error {
	switch {
	case x.Key == "" || len(x.Key) > MaxKey:
		return wire.Errorf(wire.InvalidRequest, "a timer's key has 1 to %d bytes, not %d", MaxKey, len(x.Key))
	case x.Topic == "":
		return wire.Errorf(wire.InvalidRequest, "the timer %q names no topic", x.Key)
	case x.Partition < -1:
		return wire.Errorf(wire.InvalidRequest, "the timer %q names partition %d of %s; -1 is that of the key", x.Key, x.Partition, x.Topic)
	}
	topic, ok := m.o.Topic(x.Topic)
	switch {
	case !ok:
		return wire.Errorf(wire.UnknownTopicOrPartition, "the timer %q is for %s, and there is no such topic", x.Key, x.Topic)
	case x.Partition >= topic.Partitions:
		return wire.Errorf(wire.UnknownTopicOrPartition, "the timer %q is for partition %d of %s, which has %d", x.Key, x.Partition, x.Topic, topic.Partitions)
	case size+batchOverhead > topic.MaxBatchBytes:
		return wire.Errorf(wire.MessageTooLarge, "the record of the timer %q takes %d bytes, and %s takes batches of %d (max.message.bytes)",
			x.Key, size, x.Topic, topic.MaxBatchBytes)
	}
	return nil
}

// park lets a Set wait for the end of a flight.
func (t *turn) park(g *target, body any) error {
	if len(g.parked) >= maxParked || t.token == 0 {
		return wire.Errorf(wire.CoordinatorLoadInProgress, "too many wait for the timers of %s-%d that are being appended: try again", g.topic, g.index)
	}
	p := parked{t.token, body}
	t.accepted(func() { g.parked = append(g.parked, p) })
	return nil
}

// resume steps the first command that waited for a flight.
func (t *turn) resume(c resume) {
	g := t.m.targets[c.at]
	if g == nil || len(g.parked) == 0 {
		return
	}
	first := g.parked[0]
	t.token = first.token
	// It may have to wait again: at its end, behind none that came after it for
	// the same key, for those wait, too.
	t.accepted(func() { g.parked = g.parked[1:] })
	if err := t.step(first.body); err != nil {
		t.out.Records = nil
		t.reply(coordinator.Reply{Token: first.token, Err: err})
	}
	if c.left--; c.left > 0 {
		t.timer(resumeKey{c.at}, 0, c)
	}
}

// cancel steps a Cancel.
func (t *turn) cancel(c *Cancel) {
	errs := make([]error, len(c.Keys))
	for i, key := range c.Keys {
		h := hashOf(key)
		if t.m.flying[h] != nil || t.m.timers.Find(h) == table.None {
			errs[i] = ErrGone
			continue
		}
		t.write(schema.TimerKey(key), nil)
	}
	t.answer(errs)
}

// find steps a Find.
func (t *turn) find(c *Find) {
	h := hashOf(c.Key)
	r := t.m.timers.Find(h)
	if r == table.None || t.m.flying[h] != nil {
		t.answer(Found{-1})
		return
	}
	t.answer(Found{t.m.timers.Get(r).Offset})
}
