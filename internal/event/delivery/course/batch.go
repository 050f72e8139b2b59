package course

import "slices"

// flush begins a call of the fresh deliveries that were gathered, if they are enough
// or have waited long enough for others.
func (s *stepping) flush() {
	batch := s.batch
	s.batch = nil
	if len(batch) == 0 {
		return
	}
	full := len(batch) >= s.lim.Batch.Size
	if !s.open() || !full && batch[0].PutMs+s.lim.Batch.WindowMs > s.nowMs {
		for _, it := range batch {
			s.block(it)
		}
		return
	}
	s.begin(batch)
}

// group are the deliveries that are called together with one again. They have the
// same time, so what can be called of it can be all; what is not in memory yet is
// waited for.
func (s *stepping) group(first *Item) []*Item {
	var out []*Item
	for i := range s.l.Items {
		it := &s.l.Items[i]
		if it.Group == first.Group && !it.flying && !it.done && it.Spent == "" && it.Loaded && it.DueMs <= s.nowMs {
			out = append(out, it)
		}
	}
	return out
}

// free tells whether no key of a group has an earlier delivery that is not finished.
func (s *stepping) free(group []*Item) bool {
	if !s.lim.Ordered {
		return true
	}
	taken := map[uint64]bool{}
	for _, it := range s.batch {
		taken[it.Key] = it.Key != 0
	}
	return !slices.ContainsFunc(group, func(it *Item) bool { return s.blocked[it.Key] || taken[it.Key] })
}

// regroup says with whom those are called again that failed together: with all of
// them, or with those of their half.
func regroup(failed []*Item, halve bool) {
	split := len(failed)
	if halve {
		split = (split + 1) / 2
	}
	for i, it := range failed {
		it.Group = failed[0].Offset
		if i >= split {
			it.Group = failed[split].Offset
		}
	}
}
