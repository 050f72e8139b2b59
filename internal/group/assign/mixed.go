package assign

import "slices"

// mixed shares out among members that read different topics: everybody keeps
// what it had, what has no owner goes to the reader with the least, and then
// partitions move from those with more to those with less, by way of others
// where it must be, until that helps nobody.
func (sh *sharing) mixed() {
	readers := make([][]int, len(sh.spec.Topics))
	for m := range sh.spec.Members {
		for _, t := range sh.spec.Members[m].Topics {
			readers[t] = append(readers[t], m)
		}
	}
	for p := range sh.owner {
		if m := int(sh.before[p]); m != nobody {
			sh.give(m, p)
		}
	}
	// Topics with few readers first: the others can adapt to them.
	order := make([]int, len(readers))
	for t := range order {
		order[t] = t
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(readers[a]) - len(readers[b]) })
	for _, t := range order {
		for p := sh.first[t]; p < sh.first[t+1] && len(readers[t]) > 0; p++ {
			if sh.owner[p] == nobody {
				sh.give(sh.least(readers[t], p), p)
			}
		}
	}
	sh.balance(readers)
}

// least is the reader with the fewest partitions, a near one if there is.
func (sh *sharing) least(readers []int, p int) int {
	best, bestNear := readers[0], sh.near(readers[0], p)
	for _, m := range readers[1:] {
		near := sh.near(m, p)
		if near && !bestNear || near == bestNear && sh.load[m] < sh.load[best] {
			best, bestNear = m, near
		}
	}
	return best
}

// balance moves partitions along the shortest ways from a member to one with
// two fewer. A member from which no way leads to less is done: what happens
// later can only bring others nearer to it.
func (sh *sharing) balance(readers [][]int) {
	w := newWays(sh, readers)
	order := make([]int, len(sh.load))
	for {
		for m := range order {
			order[m] = m
		}
		slices.SortStableFunc(order, func(a, b int) int { return sh.load[b] - sh.load[a] })
		moved := false
		for _, m := range order {
			for w.relieve(m) {
				moved = true
			}
		}
		if !moved {
			return
		}
	}
}

// ways finds the ways that partitions can take.
type ways struct {
	sh      *sharing
	readers [][]int
	// has counts, and holds, the partitions of each topic at each member.
	has []map[int][]int
	// from and by are the member and the topic by which each was reached, round
	// the search that reached it; topics the same.
	from, by, round, topicRound []int
	searches                    int
	queue                       []int
}

func newWays(sh *sharing, readers [][]int) *ways {
	n := len(sh.load)
	w := &ways{sh: sh, readers: readers, has: make([]map[int][]int, n),
		from: make([]int, n), by: make([]int, n), round: make([]int, n), topicRound: make([]int, len(readers))}
	for m := range w.has {
		w.has[m] = map[int][]int{}
	}
	for p, m := range sh.owner {
		if m != nobody {
			t := int(sh.topic[p])
			w.has[m][t] = append(w.has[m][t], p)
		}
	}
	return w
}

// relieve moves one partition's worth of load from a member to one with at
// least two fewer; false when no way leads there.
func (w *ways) relieve(start int) bool {
	want := w.sh.load[start] - 2
	if want < 0 {
		return false
	}
	w.searches++
	w.round[start] = w.searches
	w.queue = append(w.queue[:0], start)
	for i := 0; i < len(w.queue); i++ {
		m := w.queue[i]
		for _, t := range w.sh.spec.Members[m].Topics {
			if len(w.has[m][t]) == 0 || w.topicRound[t] == w.searches {
				continue
			}
			w.topicRound[t] = w.searches
			if end := w.reach(m, t, want); end >= 0 {
				w.shift(start, end)
				return true
			}
		}
	}
	return false
}

// reach notes whom a partition of a topic can go to from a member, and gives
// the one with the least if it is few enough, else -1.
func (w *ways) reach(m, t, want int) int {
	end := -1
	for _, r := range w.readers[t] {
		if w.round[r] == w.searches {
			continue
		}
		w.round[r], w.from[r], w.by[r] = w.searches, m, t
		w.queue = append(w.queue, r)
		if load := w.sh.load[r]; load <= want && (end < 0 || load < w.sh.load[end]) {
			end = r
		}
	}
	return end
}

// shift moves a partition along each step of the way that was found.
func (w *ways) shift(start, end int) {
	for m := end; m != start; m = w.from[m] {
		giver, t := w.from[m], w.by[m]
		list := w.has[giver][t]
		at := w.pick(list, m)
		p := list[at]
		w.has[giver][t] = append(list[:at:at], list[at+1:]...)
		w.has[m][t] = append(w.has[m][t], p)
		w.sh.give(m, p)
	}
}

// pick chooses which partition to move: one that the taker had before, else one
// that is new to the giver and near the taker, else the last.
func (w *ways) pick(list []int, taker int) int {
	best, bestScore := len(list)-1, -1
	for i, p := range list {
		score := 0
		if w.sh.near(taker, p) {
			score = 1
		}
		if w.sh.before[p] != w.sh.owner[p] {
			score += 2
		}
		if int(w.sh.before[p]) == taker {
			score += 4
		}
		if score > bestScore {
			best, bestScore = i, score
		}
	}
	return best
}
