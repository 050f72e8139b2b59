package delivery

import "container/heap"

// due is when a target is to be looked at.
type due struct {
	ms  int64
	key string
}

// dueHeap has the earliest first. What a lane does not say of itself any more is
// passed over.
type dueHeap []due

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].ms < h[j].ms }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push adds one.
func (h *dueHeap) Push(x any) { *h = append(*h, x.(due)) }

// Pop takes the last one.
func (h *dueHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// set says when a lane is to be looked at; 0 for not.
func (h *dueHeap) set(ln *lane, ms int64) {
	if ln.dueMs == ms {
		return
	}
	ln.dueMs = ms
	if ms > 0 {
		heap.Push(h, due{ms, ln.key})
	}
}

// first is when the first lane is due; 0 when none is.
func (h *dueHeap) first(lanes map[string]*lane) int64 {
	for len(*h) > 0 {
		if ln := lanes[(*h)[0].key]; ln != nil && ln.dueMs == (*h)[0].ms {
			return (*h)[0].ms
		}
		heap.Pop(h)
	}
	return 0
}

// take takes the lanes that are due.
func (h *dueHeap) take(lanes map[string]*lane, nowMs int64) (keys []string) {
	for ms := h.first(lanes); ms > 0 && ms <= nowMs; ms = h.first(lanes) {
		x := heap.Pop(h).(due)
		lanes[x.key].dueMs = 0
		keys = append(keys, x.key)
	}
	return keys
}
