package partition

import (
	"ottla/internal/partition/replica"
	"ottla/internal/wire"
)

// Waiter is told when what it waits for happened. Calls come from sync rounds
// or appenders: they must be quick and must not call the partition.
type Waiter interface{ Committed(err error) }

// Await reports true at once when everything below end is committed as acks
// asks (0: written; 1: durable here as the topic's durability says; -1: the
// high watermark), else registers w, which is called exactly once. An error
// means that it will never be (leadership lost, directory offline), or that
// it is committed but the ISR has become too small
// (NOT_ENOUGH_REPLICAS_AFTER_APPEND). Allocates nothing in steady state.
func (p *Partition) Await(w Waiter, end int64, acks int16) (bool, error) {
	if acks == replica.AcksNone {
		return true, nil
	}
	p.st.Lock()
	defer p.st.Unlock()
	if p.refusal != nil {
		return false, p.refusal
	}
	done, c := p.core.Settled(end, acks)
	if c != wire.None {
		return false, c
	}
	if done {
		return true, nil
	}
	if end > p.core.End() {
		// The log was cut since the append: another leader's records stand
		// there, or none.
		return false, wire.NotLeaderOrFollower
	}
	if acks == replica.AcksLeader {
		p.kept.push(end, w)
	} else {
		p.agreed.push(end, w)
	}
	return false, nil
}

// queue holds waiters by the offset they wait for. They come nearly in order
// (an appender may be overtaken between its append and its wait, and a
// duplicate waits for an older offset), so it is a list that is filled from
// the back and emptied from the front, in place. Its length is bounded by the
// requests that connections may park. The zero value is empty and takes no
// memory.
type queue struct {
	list []parked
	head int // the first of list that still waits
}

type parked struct {
	end int64
	w   Waiter
}

// keepQueue is how many places an empty queue keeps for the next burst.
const keepQueue = 256

func (q *queue) empty() bool { return q.head == len(q.list) }

// push adds w behind everyone who waits for the same offset or a lower one.
func (q *queue) push(end int64, w Waiter) {
	if len(q.list) == cap(q.list) && q.head > len(q.list)/2 {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, parked{end, w})
	for i := len(q.list) - 1; i > q.head && q.list[i-1].end > end; i-- {
		q.list[i], q.list[i-1] = q.list[i-1], q.list[i]
	}
}

// ready takes those off that wait for bound or less, to be told err.
func (q *queue) ready(t *told, bound int64, err error) *told {
	for q.head < len(q.list) && q.list[q.head].end <= bound {
		t = t.add(q.list[q.head].w, err)
		q.list[q.head] = parked{}
		q.head++
	}
	q.rewind()
	return t
}

// all takes everyone off.
func (q *queue) all(t *told, err error) *told {
	for ; q.head < len(q.list); q.head++ {
		t = t.add(q.list[q.head].w, err)
		q.list[q.head] = parked{}
	}
	q.rewind()
	return t
}

// rewind starts an empty queue from the front again.
func (q *queue) rewind() {
	if !q.empty() {
		return
	}
	q.list, q.head = q.list[:0], 0
	if cap(q.list) > keepQueue {
		q.list = nil
	}
}
