package group

import (
	"cmp"
	"iter"
	"slices"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
)

// Records implements coordinator.Lister: everything in the order in which it
// was written, so that what is newer stays so; then what the kinds have, whose
// records say all of what they are about.
func (m *Machine) Records() iter.Seq[coordinator.Record] {
	type row struct {
		at uint64
		coordinator.Record
	}
	var rows []row
	add := func(group string, topics offsets, txn *coordinator.Txn) {
		for topic, partitions := range topics {
			for partition, v := range partitions {
				rows = append(rows, row{v.at, coordinator.Record{
					Key:   schema.AppendOffsetKey(nil, group, topic, partition),
					Value: schema.AppendOffsetValue(nil, v.OffsetValue), Txn: txn,
				}})
			}
		}
	}
	for id, g := range m.groups {
		if g.stored != nil {
			rows = append(rows, row{g.stored.at, coordinator.Record{Key: schema.AppendGroupKey(nil, id), Value: g.stored.value}})
		}
		add(id, g.offsets, nil)
	}
	for producer, p := range m.open {
		txn := &coordinator.Txn{ProducerID: producer, ProducerEpoch: p.epoch}
		for id, topics := range p.groups {
			add(id, topics, txn)
		}
	}
	for key, k := range m.aside {
		rows = append(rows, row{k.at, coordinator.Record{Key: []byte(key), Value: k.value}})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.at, b.at) })
	return func(yield func(coordinator.Record) bool) {
		for i := range rows {
			if !yield(rows[i].Record) {
				return
			}
		}
		for _, k := range m.kinds {
			for r := range k.Records() {
				if !yield(r) {
					return
				}
			}
		}
	}
}
