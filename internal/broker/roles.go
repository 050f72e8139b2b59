package broker

import (
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/partition"
)

// assign gives a partition the role that the metadata say.
func (b *Broker) assign(h *held, mp *metadata.Partition) {
	err := h.become(partition.Role{
		Leader: mp.Leader, LeaderEpoch: mp.LeaderEpoch, PartitionEpoch: mp.PartitionEpoch,
		Replicas: mp.Replicas, ISR: mp.ISR,
	})
	if err != nil {
		b.o.Logger.Error("partition cannot take its role", "topic", h.id.Topic, "partition", h.id.Partition,
			"leader_epoch", mp.LeaderEpoch, "err", err)
	}
	h.leads.Store(err == nil && mp.Leader == b.o.NodeID)
}

// change follows partitions that were added to topics, moved here or away, or
// got another role.
func (b *Broker) change(img *metadata.Image, parts []*metadata.Partition) {
	var e edits
	for _, mp := range parts {
		t := e.topic(b.table.byID(mp.Topic.ID))
		if t == nil {
			continue
		}
		var h *held
		if int(mp.Index) < len(t.parts) {
			h = t.parts[mp.Index]
		}
		switch mine := slices.Contains(mp.Replicas, b.o.NodeID); {
		case mine && h != nil:
			b.assign(h, mp)
		case mine:
			h = b.hold(mp.Topic, mp, b.homeOf(mp), b.configOf(img, t.name))
			e.opened = append(e.opened, h)
			e.put(t, mp.Index, h)
		default:
			if h != nil {
				e.removed = append(e.removed, h)
			}
			e.put(t, mp.Index, nil)
		}
	}
	b.openNow(e.opened)
	b.table.change(nil, e.changed)
	b.removeAll(e.removed)
}

// edits are topics whose list of partitions changes in one step. Topics are
// immutable, so each is copied once.
type edits struct {
	copies          map[*topic]*topic
	changed         []*topic
	opened, removed []*held
}

// topic gives the topic as the step has it so far.
func (e *edits) topic(t *topic) *topic {
	if c := e.copies[t]; c != nil {
		return c
	}
	return t
}

// put sets a partition in a copy of the topic.
func (e *edits) put(t *topic, index int32, h *held) {
	if !slices.Contains(e.changed, t) {
		c := &topic{name: t.name, id: t.id, parts: slices.Clone(t.parts)}
		if e.copies == nil {
			e.copies = map[*topic]*topic{}
		}
		e.copies[t] = c
		e.changed = append(e.changed, c)
		t = c
	}
	for len(t.parts) <= int(index) {
		t.parts = append(t.parts, nil)
	}
	t.parts[index] = h
}

// drop deletes the partitions of topics that are no more.
func (b *Broker) drop(topics []*metadata.Topic) {
	if len(topics) == 0 {
		return
	}
	var out []*topic
	var removed []*held
	for _, mt := range topics {
		t := b.table.byID(mt.ID)
		if t == nil {
			continue
		}
		out = append(out, t)
		for _, h := range t.parts {
			if h != nil {
				removed = append(removed, h)
			}
		}
	}
	b.table.change(out, nil)
	b.removeAll(removed)
}

// removeAll deletes logs, several at once, and returns when their directories
// have other names.
func (b *Broker) removeAll(hs []*held) {
	for _, h := range hs {
		b.leave(h)
	}
	inParallel(hs, diskWorkers, func(h *held) {
		if err := h.remove(b.o.Logger); err != nil {
			b.o.Logger.Error("the log of a deleted partition stays", "topic", h.id.Topic, "partition", h.id.Partition, "err", err)
		}
	})
}
