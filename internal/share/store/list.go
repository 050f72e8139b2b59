package store

import (
	"iter"
	"maps"
	"slices"

	"ottla/internal/coordinator"
)

// Records implements coordinator.Lister: each state as a snapshot.
func (m *Machine) Records() iter.Seq[coordinator.Record] {
	return func(yield func(coordinator.Record) bool) {
		for _, k := range slices.SortedFunc(maps.Keys(m.states), compare) {
			v := m.states[k].whole()
			if !yield(coordinator.Record{Key: appendKey(nil, snapshotType, k), Value: AppendSnapshot(nil, &v)}) {
				return
			}
		}
	}
}

// Keys lists the share-partitions that have a state, in order.
func (m *Machine) Keys() []Key { return slices.SortedFunc(maps.Keys(m.states), compare) }
