package balance

import "slices"

// Limits say how far a plan goes.
type Limits struct {
	// Percent by which a node's load may differ from the average before
	// replicas move; 10 when 0.
	Percent int
	// MaxBytes that may be copied; no bound when 0.
	MaxBytes int64
	// LeadersOnly changes the order of replicas alone, which copies nothing.
	LeadersOnly bool
}

// Even plans that racks, bytes and leaders are spread evenly. Where racks allow
// it no two replicas share one; then replicas move from the fullest to the
// emptiest nodes; last the order of preference is changed so that all nodes
// lead as much.
func Even(c Cluster, l Limits) *Plan {
	w := begin(c)
	if l.Percent <= 0 {
		l.Percent = 10
	}
	if !l.LeadersOnly {
		budget := &budget{most: l.MaxBytes}
		w.spreadRacks(budget)
		w.spreadBytes(budget, l.Percent)
	}
	w.lead("leaders", func(int) bool { return true })
	return w.plan(nil)
}

// budget is what may be copied.
type budget struct{ most, used int64 }

func (b *budget) take(bytes int64) bool {
	if b.most > 0 && b.used+bytes > b.most {
		return false
	}
	b.used += bytes
	return true
}

// spreadRacks moves replicas that share a rack into racks that have none.
func (w *work) spreadRacks(b *budget) {
	for i := range w.parts {
		p := &w.parts[i]
		for at := 1; at < len(p.Replicas); at++ {
			from := p.Replicas[at]
			if w.crowded(p.Replicas) == 0 {
				break
			}
			to, ok := w.taker(i, from)
			if !ok || w.crowded(replaced(p.Replicas, from, to)) >= w.crowded(p.Replicas) || !b.take(p.Bytes) {
				continue
			}
			w.swap(i, from, to, "racks")
		}
	}
}

// spreadBytes moves replicas from nodes that carry more to those that carry
// less, the best step first, while one is farther from the average than told.
// Every step makes the two nodes more alike, so it ends.
func (w *work) spreadBytes(b *budget, percent int) {
	if len(w.nodes) < 2 {
		return
	}
	spent := map[int]bool{} // partitions that the budget does not reach
	for range len(w.parts) * len(w.nodes) {
		if !w.step(b, percent, spent) {
			return
		}
	}
}

// step makes one move; false when there is none to make.
func (w *work) step(b *budget, percent int, spent map[int]bool) bool {
	byLoad := slices.Clone(w.nodes)
	slices.SortStableFunc(byLoad, func(x, y Node) int {
		switch lx, ly := w.load[x.ID], w.load[y.ID]; {
		case lx > ly:
			return -1
		case lx < ly:
			return 1
		}
		return 0
	})
	var total int64
	for _, n := range byLoad {
		total += w.load[n.ID]
	}
	average := total / int64(len(byLoad))
	slack := max(average*int64(percent)/100, countBytes)
	for hi := 0; hi < len(byLoad); hi++ {
		for lo := len(byLoad) - 1; lo > hi; lo-- {
			from, to := byLoad[hi].ID, byLoad[lo].ID
			if w.load[from]-average <= slack && average-w.load[to] <= slack {
				continue
			}
			if i, ok := w.fitting(from, to, spent); ok {
				if !b.take(w.parts[i].Bytes) {
					spent[i] = true
					return true
				}
				w.swap(i, from, to, "bytes")
				return true
			}
		}
	}
	return false
}

// fitting finds the partition whose move makes two nodes most alike: the one
// whose weight is nearest to half the difference, and below the whole of it.
func (w *work) fitting(from, to int32, spent map[int]bool) (int, bool) {
	gap := w.load[from] - w.load[to]
	best, found, miss := 0, false, int64(0)
	for i := range w.parts {
		p := &w.parts[i]
		weight := p.weight()
		if weight >= gap || spent[i] || !slices.Contains(p.Replicas, from) || slices.Contains(p.Replicas, to) {
			continue
		}
		if w.crowded(replaced(p.Replicas, from, to)) > w.crowded(p.Replicas) {
			continue
		}
		if d := abs(gap - 2*weight); !found || d < miss {
			best, found, miss = i, true, d
		}
	}
	return best, found
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
