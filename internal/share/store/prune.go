package store

import (
	"slices"
	"time"

	"ottla/internal/coordinator"
)

// refreshAfter is how many records may be written after a share-partition's
// last snapshot before it is written anew, so that it does not hold up the
// shortening of the log for ever.
const refreshAfter = 10_000

// refreshBytes bounds what one turn writes anew.
const refreshBytes = 256 << 10

type (
	pruneKey struct{}
	// pruneDue: time to shorten the log.
	pruneDue struct{}
	// pruned: the log was shortened.
	pruned struct{}
)

// prune writes states anew whose snapshots lie far back, and deletes what lies
// below all snapshots.
func (t *turn) prune(now time.Time) {
	m := t.m
	if m.s.PruneEvery <= 0 || m.s.Prune == nil {
		return
	}
	at := now.Add(m.s.PruneEvery)
	if t.refresh() {
		at = now // there is more
	}
	t.out.Timers = append(t.out.Timers, coordinator.Timer{Key: pruneKey{}, At: at, Body: pruneDue{}})
	low := m.last + 1
	for _, s := range m.states {
		low = min(low, s.at)
	}
	if low > m.pruned && m.last >= 0 {
		prune := m.s.Prune
		t.out.Work = append(t.out.Work, coordinator.Work{Run: func() any { prune(low); return pruned{} }})
		t.out.Accepted = func() { m.pruned = low }
	}
}

// refresh writes anew what lies far back, the oldest first, and tells whether
// there was more than one turn may write.
func (t *turn) refresh() bool {
	var far []Key
	for k, s := range t.m.states {
		if t.m.last-s.at > refreshAfter {
			far = append(far, k)
		}
	}
	slices.SortFunc(far, compare)
	size := 0
	for _, k := range far {
		if size > refreshBytes {
			return true
		}
		s := t.m.states[k]
		v := s.whole()
		v.Epoch, v.WrittenMs = s.snapshot+1, t.nowMs
		value := AppendSnapshot(nil, &v)
		size += len(value)
		t.write(appendKey(nil, snapshotType, k), value)
	}
	return false
}
