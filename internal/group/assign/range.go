package assign

import "slices"

// Range gives each member a run of neighbours of every topic that it reads.
func Range(s *Spec) [][]Part {
	if len(s.Members) == 0 {
		return [][]Part{}
	}
	sh := newSharing(s)
	readers := make([][]int, len(s.Topics))
	for _, m := range sh.ranks() {
		for _, t := range s.Members[m].Topics {
			readers[t] = append(readers[t], m)
		}
	}
	for t, list := range readers {
		if len(list) == 0 {
			continue
		}
		n := s.Topics[t].Partitions
		share, more := n/len(list), n%len(list)
		p := sh.first[t]
		for i, m := range list {
			take := share
			if i < more {
				take++
			}
			for range take {
				sh.give(m, p)
				p++
			}
		}
	}
	return sh.result()
}

// ranks are the members in the order of their runs: by the first partition that
// each had, so that they stay where they are; new ones come last, by place.
func (sh *sharing) ranks() []int {
	s := sh.spec
	none := len(sh.owner)
	lowest := make([]int, len(s.Members))
	for m := range lowest {
		lowest[m] = none
	}
	for p := none - 1; p >= 0; p-- {
		if m := sh.before[p]; m != nobody {
			lowest[m] = p - sh.first[sh.topic[p]]
		}
	}
	order := s.places()
	slices.SortStableFunc(order, func(a, b int) int { return lowest[a] - lowest[b] })
	return order
}
