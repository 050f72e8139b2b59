package timer

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"ottla/internal/coordinator"
	"ottla/internal/timer/schema"
	"ottla/internal/timer/table"
)

// indexPart is how many timers one record of a snapshot's index has.
const indexPart = 4096

// Records implements coordinator.Lister: the timers without their payloads, which
// stay in the log, then what is on its way.
func (m *Machine) Records() iter.Seq[coordinator.Record] {
	return func(yield func(coordinator.Record) bool) {
		if !m.index(yield) {
			return
		}
		for _, g := range m.sortedTargets() {
			if g.stored && !yield(coordinator.Record{Key: schema.TargetKey(g.topic, g.index), Value: schema.AppendTarget(nil, &g.Target)}) {
				return
			}
		}
		for _, line := range slices.Sorted(maps.Keys(m.lines)) {
			if !yield(coordinator.Record{Key: schema.LineKey(line), Value: schema.AppendLine(nil, m.lines[line])}) {
				return
			}
		}
		for _, key := range slices.Sorted(maps.Keys(m.aside)) {
			if !yield(coordinator.Record{Key: []byte(key), Value: m.aside[key]}) {
				return
			}
		}
	}
}

// index gives all timers in parts, each of one topic; false when no more is wanted.
func (m *Machine) index(yield func(coordinator.Record) bool) bool {
	parts := make([][]schema.Entry, len(m.names))
	n, more := 0, true
	give := func(topic int32) bool {
		value := schema.AppendIndex(nil, m.names[topic], parts[topic])
		parts[topic] = parts[topic][:0]
		n++
		return yield(coordinator.Record{Key: schema.IndexKey(n), Value: value})
	}
	m.timers.All(func(_ table.Ref, e table.Entry) bool {
		parts[e.Topic] = append(parts[e.Topic], schema.Entry{
			Ref: schema.Ref{Hash: e.Hash, Offset: e.Offset}, DueMs: e.DueMs, Spread: e.Spread, Size: e.Size,
		})
		if len(parts[e.Topic]) == indexPart {
			more = give(e.Topic)
		}
		return more
	})
	for topic := range parts {
		if more && len(parts[topic]) > 0 {
			more = give(int32(topic))
		}
	}
	return more
}

// sortedTargets are the targets in order.
func (m *Machine) sortedTargets() []*target {
	return slices.SortedFunc(maps.Values(m.targets), func(a, b *target) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.index, b.index))
	})
}
