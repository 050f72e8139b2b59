package txn

import (
	"slices"
	"time"

	"ottla/internal/wire"
)

// describe steps a Describe.
func (t *turn) describe(c *Describe) error {
	e := t.m.ids[c.ID]
	switch {
	case c.ID == "":
		return wire.InvalidRequest
	case e == nil:
		return wire.TransactionalIDNotFound
	}
	t.answer(Described{
		ID: c.ID, State: e.state, ProducerID: e.producerID, Epoch: e.epoch,
		TimeoutMs: e.timeoutMs, StartMs: e.startMs, Partitions: slices.Clone(e.parts),
	})
	return nil
}

// list shows what passes the filters.
func (m *Machine) list(c *List, wall time.Time) []Listed {
	var out []Listed
	for _, id := range m.where(func(id string, e *entry) bool { return c.passes(id, e.meta, wall.UnixMilli()) }) {
		out = append(out, Listed{ID: id, ProducerID: m.ids[id].producerID, State: m.ids[id].state})
	}
	return out
}

func (c *List) passes(id string, m *meta, nowMs int64) bool {
	switch {
	case len(c.States) > 0 && !slices.Contains(c.States, m.state),
		len(c.ProducerIDs) > 0 && !slices.Contains(c.ProducerIDs, m.producerID),
		c.DurationMs >= 0 && nowMs-m.startMs <= c.DurationMs:
		return false
	}
	return c.Pattern == nil || c.Pattern.MatchString(id)
}
