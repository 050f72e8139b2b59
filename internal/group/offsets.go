package group

import (
	"maps"
	"slices"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
)

// offset is a committed offset with its place in the order of records.
type offset struct {
	schema.OffsetValue
	at uint64
}

// offsets are by topic and partition; no topic is empty.
type offsets map[string]map[int32]offset

func (o offsets) get(topic string, partition int32) (offset, bool) {
	v, ok := o[topic][partition]
	return v, ok
}

func (o offsets) put(topic string, partition int32, v offset) {
	if o[topic] == nil {
		o[topic] = map[int32]offset{}
	}
	o[topic][partition] = v
}

func (o offsets) remove(topic string, partition int32) {
	delete(o[topic], partition)
	if len(o[topic]) == 0 {
		delete(o, topic)
	}
}

// sorted gives the keys of a map in order.
func sorted[K interface{ ~string | ~int32 | ~int64 }, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}

// ids are the groups of all kinds in order.
func (m *Machine) ids() []string {
	ids := sorted(m.groups)
	for _, k := range m.kinds {
		ids = append(ids, k.IDs()...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// pending are the offsets of a transaction that has not ended, by group.
type pending struct {
	epoch  int16
	groups map[string]offsets
}

// applyOffset takes over a committed offset, nil when it is forgotten. What
// belongs to a transaction is kept until that ends.
func (m *Machine) applyOffset(k schema.Key, r coordinator.Record) {
	if r.Value == nil {
		m.forget(k.Group, k.Topic, k.Partition)
		return
	}
	v, err := schema.ParseOffsetValue(r.Value)
	if err != nil {
		return // as if it had not been written
	}
	g := m.need(k.Group)
	if r.Txn == nil {
		if g.offsets == nil {
			g.offsets = offsets{}
		}
		g.offsets.put(k.Topic, k.Partition, offset{v, m.applied})
		return
	}
	p := m.open[r.Txn.ProducerID]
	if p == nil {
		p = &pending{groups: map[string]offsets{}}
		m.open[r.Txn.ProducerID] = p
	}
	p.epoch = r.Txn.ProducerEpoch
	if p.groups[k.Group] == nil {
		p.groups[k.Group] = offsets{}
		g.txns++
	}
	p.groups[k.Group].put(k.Topic, k.Partition, offset{v, m.applied})
}

// forget drops an offset, that of open transactions too.
func (m *Machine) forget(group, topic string, partition int32) {
	g := m.groups[group]
	if g == nil {
		return
	}
	g.offsets.remove(topic, partition)
	if g.txns > 0 {
		for producer, p := range m.open {
			m.forgetPending(g, producer, p.groups, group, topic, partition)
		}
	}
	m.dropIfVoid(group)
}

// forgetPending drops an offset of one open transaction.
func (m *Machine) forgetPending(g *group, producer int64, of map[string]offsets, group, topic string, partition int32) {
	topics, ok := of[group]
	if !ok {
		return
	}
	topics.remove(topic, partition)
	if len(topics) == 0 {
		delete(of, group)
		g.txns--
	}
	if len(of) == 0 {
		delete(m.open, producer)
	}
}

// applyEnd ends a transaction. Of two commits of one partition that overlap,
// the one whose record came last stays.
func (m *Machine) applyEnd(txn *coordinator.Txn) {
	p := m.open[txn.ProducerID]
	if p == nil {
		return
	}
	delete(m.open, txn.ProducerID)
	for id, topics := range p.groups {
		g := m.need(id)
		g.txns--
		if txn.End == coordinator.TxnCommit {
			g.take(topics)
		}
		m.dropIfVoid(id)
	}
}

// take puts in what is newer than what is there.
func (g *group) take(topics offsets) {
	if g.offsets == nil {
		g.offsets = offsets{}
	}
	for topic, partitions := range topics {
		for partition, v := range partitions {
			if old, ok := g.offsets.get(topic, partition); !ok || v.at > old.at {
				g.offsets.put(topic, partition, v)
			}
		}
	}
}

// unstable tells whether an open transaction will change an offset.
func (m *Machine) unstable(group, topic string, partition int32) bool {
	if g := m.groups[group]; g == nil || g.txns == 0 {
		return false
	}
	for _, p := range m.open {
		if _, ok := p.groups[group].get(topic, partition); ok {
			return true
		}
	}
	return false
}
