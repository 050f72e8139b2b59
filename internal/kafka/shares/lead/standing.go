package lead

import (
	"bytes"
	"cmp"
	"slices"

	"ottla/internal/share"
	"ottla/internal/share/store"
)

// Standing is where a share-partition stands at one moment.
type Standing struct {
	Key store.Key
	share.Stats
}

// Standings lists those of all parts that are loaded, by group, topic id and
// partition. Each is of a moment of its own.
func (m *Manager) Standings() []Standing {
	var out []Standing
	for _, p := range m.parts("") {
		if st, ready := p.Stats(); ready {
			out = append(out, Standing{p.Key, st})
		}
	}
	slices.SortFunc(out, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(a.Key.Group, b.Key.Group), bytes.Compare(a.Key.TopicID[:], b.Key.TopicID[:]), cmp.Compare(a.Key.Partition, b.Key.Partition))
	})
	return out
}
