package broker

import (
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/partition"
)

// assign gives a partition the role that the metadata say.
func (b *Broker) assign(h *held, mp *metadata.Partition) {
	err := h.p.Become(partition.Role{
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
	if len(parts) == 0 {
		return
	}
	next := map[*topic]*topic{} // topics whose list of partitions changes
	var in, out []*topic
	var opened, removed []*held
	for _, mp := range parts {
		t := b.table.byID(mp.Topic.ID)
		if t == nil {
			continue
		}
		if next[t] != nil {
			t = next[t]
		}
		mine := slices.Contains(mp.Replicas, b.o.NodeID)
		var h *held
		if int(mp.Index) < len(t.parts) {
			h = t.parts[mp.Index]
		}
		if mine && h != nil {
			b.assign(h, mp)
			continue
		}
		if !mine && h == nil && int(mp.Index) < len(t.parts) {
			continue
		}
		if old := b.table.byID(mp.Topic.ID); next[old] == nil {
			t = &topic{name: t.name, id: t.id, parts: slices.Clone(t.parts)}
			next[old] = t
			in = append(in, t)
		}
		for len(t.parts) <= int(mp.Index) {
			t.parts = append(t.parts, nil)
		}
		t.parts[mp.Index] = nil
		if mine {
			t.parts[mp.Index] = b.hold(mp.Topic, mp, b.place(), b.configOf(img, t.name))
			opened = append(opened, t.parts[mp.Index])
		} else if h != nil {
			removed = append(removed, h)
		}
	}
	b.openNow(opened)
	b.table.change(out, in)
	b.removeAll(removed)
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
		b.moveOut(h.home)
	}
	inParallel(hs, diskWorkers, func(h *held) {
		if err := h.remove(b.o.Logger); err != nil {
			b.o.Logger.Error("the log of a deleted partition stays", "topic", h.id.Topic, "partition", h.id.Partition, "err", err)
		}
	})
}
