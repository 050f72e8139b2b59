package coordinator

import (
	"container/heap"
	"time"
)

// timers are the deadlines of a shard, the earliest first, those of one moment
// in the order they were set. Setting, moving and taking away cost the
// logarithm of their number.
type timers struct {
	byKey map[any]*alarm
	order alarmHeap
	set   uint64 // counts, for the order of equals
}

type alarm struct {
	Timer
	seq   uint64
	index int // in the heap
}

// put sets, moves or (with a zero At) takes away a timer.
func (t *timers) put(x Timer) {
	a := t.byKey[x.Key]
	switch {
	case x.At.IsZero():
		if a != nil {
			t.remove(a)
		}
		return
	case a == nil:
		if t.byKey == nil {
			t.byKey = map[any]*alarm{}
		}
		a = &alarm{}
		t.byKey[x.Key] = a
		a.Timer, a.seq = x, t.set
		heap.Push(&t.order, a)
	default:
		a.Timer, a.seq = x, t.set
		heap.Fix(&t.order, a.index)
	}
	t.set++
}

func (t *timers) remove(a *alarm) {
	heap.Remove(&t.order, a.index)
	delete(t.byKey, a.Key)
}

// has tells whether a timer is set under key.
func (t *timers) has(key any) bool { return t.byKey[key] != nil }

// due takes the earliest timer whose time has come.
func (t *timers) due(now time.Time) (Timer, bool) {
	if len(t.order) == 0 || t.order[0].At.After(now) {
		return Timer{}, false
	}
	a := t.order[0]
	t.remove(a)
	return a.Timer, true
}

// next is when the earliest comes; zero when there is none.
func (t *timers) next() time.Time {
	if len(t.order) == 0 {
		return time.Time{}
	}
	return t.order[0].At
}

// clear takes all away.
func (t *timers) clear() { *t = timers{} }

type alarmHeap []*alarm

// Len is part of heap.Interface.
func (h alarmHeap) Len() int { return len(h) }

// Less orders by time, and alarms of one time by the order in which they were
// set.
func (h alarmHeap) Less(i, j int) bool {
	if !h[i].At.Equal(h[j].At) {
		return h[i].At.Before(h[j].At)
	}
	return h[i].seq < h[j].seq
}

// Swap is part of heap.Interface; each alarm knows its place.
func (h alarmHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is part of heap.Interface.
func (h *alarmHeap) Push(x any) {
	a := x.(*alarm)
	a.index = len(*h)
	*h = append(*h, a)
}

// Pop is part of heap.Interface.
func (h *alarmHeap) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return a
}
