package event

import (
	"container/heap"
	"fmt"
	"hash"
	"hash/fnv"
	"time"
)

// Loop is virtual time in which events happen.
type Loop struct {
	// Trace, where set, is given every line.
	Trace func(line string)

	now   time.Duration // since the beginning
	queue queue
	seq   uint64
	hash  hash.Hash64
	steps int
	tail  []string // the last lines, a ring
	at    int
}

// kept is how many lines a failure shows.
const kept = 60

// NewLoop begins at time zero.
func NewLoop() *Loop { return &Loop{hash: fnv.New64a()} }

// Now is the time since the beginning.
func (l *Loop) Now() time.Duration { return l.now }

// Steps counts the events that happened.
func (l *Loop) Steps() int { return l.steps }

// Hash is that of all lines noted so far.
func (l *Loop) Hash() uint64 { return l.hash.Sum64() }

// Tail are the last lines noted, oldest first.
func (l *Loop) Tail() []string {
	return append(append([]string(nil), l.tail[l.at:]...), l.tail[:l.at]...)
}

// After has do happen once delay has passed.
func (l *Loop) After(delay time.Duration, do func()) {
	l.seq++
	heap.Push(&l.queue, entry{l.now + max(delay, 0), l.seq, do})
}

// Run lets time pass until end, or until stop says so; stop may be nil.
func (l *Loop) Run(end time.Duration, stop func() bool) {
	for len(l.queue) > 0 && l.queue[0].at <= end {
		e := heap.Pop(&l.queue).(entry)
		l.now = e.at
		l.steps++
		e.do()
		if stop != nil && stop() {
			return
		}
	}
	l.now = end
}

// Note puts something that happened into the trace.
func (l *Loop) Note(format string, args ...any) {
	s := fmt.Sprintf("%9.3f ", l.now.Seconds()) + fmt.Sprintf(format, args...)
	l.hash.Write([]byte(s))
	if len(l.tail) < kept {
		l.tail = append(l.tail, s)
	} else {
		l.tail[l.at] = s
		l.at = (l.at + 1) % kept
	}
	if l.Trace != nil {
		l.Trace(s)
	}
}

type entry struct {
	at  time.Duration
	seq uint64
	do  func()
}

// queue is a heap by time, then by the order of asking.
type queue []entry

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(entry)) }
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = entry{}
	*q = old[:len(old)-1]
	return e
}
