package broker

import (
	"slices"
	"time"

	"ottla/internal/broker/insync"
	"ottla/internal/broker/mend"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/replicate"
	"ottla/internal/wire"
)

// makeReplicas makes what keeps replicas in step, where there are other nodes.
func (b *Broker) makeReplicas() {
	if x := b.o.Stepping; x != nil {
		b.fetchers, b.inSync = x.Followers, x.InSync
		return
	}
	b.fetchers = (*replicate.Fetchers)(nil)
	b.inSync = insync.New(insync.Options{
		NodeID: b.o.NodeID, Image: b.Image, Control: b.o.Control, Partitions: b.Partitions, Logger: b.o.Logger, Tick: b.o.Tick,
		MaxLag: func() time.Duration { return b.o.View.Duration(b.Image(), maxLag) },
	})
	if b.o.Nodes == nil {
		return
	}
	if b.o.Ask != nil {
		b.mending = mend.New(mend.Options{
			NodeID: b.o.NodeID, Image: b.Image, Ask: b.o.Ask, Control: b.o.Control, Logger: b.o.Logger, Tick: b.o.Tick, Metrics: b.o.Metrics.Mending,
			Trust: b.Trust,
		})
	}
	b.makeQuotas()
	b.fetchers = replicate.New(replicate.Options{
		NodeID: b.o.NodeID, Open: b.o.Nodes, Logger: b.o.Logger, Metrics: b.o.Metrics.Replicas, Quota: b.following,
		Settings: func() replicate.Settings { return *b.pulling.Load() },
		BrokerEpoch: func() int64 {
			if me := b.Image().Broker(b.o.NodeID); me != nil {
				return me.Epoch
			}
			return -1
		},
	})
	b.heedPulling(b.Image())
}

// heedPulling takes over what fetches from leaders heed.
func (b *Broker) heedPulling(img *metadata.Image) {
	v := b.o.View
	b.pulling.Store(&replicate.Settings{
		PartitionBytes: int32(v.Int(img, "replica.fetch.max.bytes")),
		ResponseBytes:  int32(v.Int(img, "replica.fetch.response.max.bytes")),
		Wait:           v.Duration(img, "replica.fetch.wait.max.ms"),
		Backoff:        v.Duration(img, "replica.fetch.backoff.ms"),
		Silence:        v.Duration(img, "replica.socket.timeout.ms"),
	})
}

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
		case mine && h != nil && h.at.Load().index == lost && b.mayBegin(mp):
			// It was counted on when this node started, and is not any more.
			_ = h.close() // there is nothing to close
			h = b.hold(mp.Topic, mp, b.anew(), b.configOf(img, t.name))
			e.opened = append(e.opened, h)
			e.put(t, mp.Index, h)
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
	b.removeAll(e.removed, wire.NotLeaderOrFollower)
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
	b.removeAll(removed, wire.UnknownTopicOrPartition)
}

// removeAll deletes logs, several at once, and returns when their directories
// have other names.
func (b *Broker) removeAll(hs []*held, why wire.Code) {
	for _, h := range hs {
		b.leave(h)
	}
	inParallel(hs, b.workers(diskWorkers), func(h *held) {
		if err := h.remove(why, b.o.Logger); err != nil {
			b.o.Logger.Error("the log of a deleted partition stays", "topic", h.id.Topic, "partition", h.id.Partition, "err", err)
		}
	})
}
