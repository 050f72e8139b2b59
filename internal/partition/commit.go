package partition

import (
	"sync"

	"ottla/internal/log"
	"ottla/internal/partition/replica"
	"ottla/internal/wire"
)

// Unknown is the number of bytes that Readable gets when a bound moved over a
// range whose size is not known (a new segment, the end of a transaction that
// began long ago): enough for any fetch to look again. Kafka answers a waiting
// fetch at once when a segment rolls, too.
const Unknown = 1 << 30

// told is a batch of waiters that were taken off the queues, to be called once
// the locks are free. Batches are pooled, so that telling allocates nothing.
type told struct{ list []answer }

type answer struct {
	w   Waiter
	err error
}

var tolds = sync.Pool{New: func() any { return new(told) }}

// add notes that w is to be told err. A nil batch begins one.
func (t *told) add(w Waiter, err error) *told {
	if t == nil {
		t = tolds.Get().(*told)
	}
	t.list = append(t.list, answer{w, err})
	return t
}

// tell calls everyone in the batch and gives it back. No lock held; t may be
// nil.
func (t *told) tell() {
	if t == nil {
		return
	}
	for i := range t.list {
		t.list[i].w.Committed(t.list[i].err)
	}
	clear(t.list)
	t.list = t.list[:0]
	tolds.Put(t)
}

// settle publishes what the core has decided and finds out who is to be told.
// at is a position that the caller knows, in the hope that the high watermark
// is there. st held; the caller tells the batch after it has let go.
func (p *Partition) settle(at log.Position) *told {
	high, stable := p.core.High(), p.core.Stable()
	highWas, stableWas := p.highAt, p.stableAt
	if high != highWas.Offset {
		p.highAt = locate(high, at)
	}
	if stable != stableWas.Offset {
		p.stableAt = locate(stable, p.highAt)
	}
	p.publish()
	if len(p.feeds) > 0 && high != highWas.Offset {
		p.stir(NewsMoved)
	}
	if len(p.watchers) > 0 {
		p.wake(moved(highWas, p.highAt), moved(stableWas, p.stableAt))
	}
	t := p.kept.ready(nil, p.core.Bound(replica.AcksLeader), nil)
	if p.agreed.empty() {
		return t
	}
	var err error
	if c := p.core.Verdict(replica.AcksAll); c != wire.None {
		err = c
	}
	return p.agreed.ready(t, high, err)
}

// publish stores the core's offsets for those who read without a lock. st held.
func (p *Partition) publish() {
	// Largest first, the reverse of Offsets: whoever reads sees them in order.
	p.end.Store(p.core.End())
	p.high.Store(p.core.High())
	p.stable.Store(p.core.Stable())
	p.start.Store(p.core.Start())
	p.epoch.Store(p.core.LeaderEpoch())
}

// abandon takes everyone who waits off the queues. st held.
func (p *Partition) abandon(why error) *told {
	t := p.kept.all(nil, why)
	return p.agreed.all(t, why)
}

// locate is the position of offset: near, when that is it.
func locate(offset int64, near log.Position) log.Position {
	if near.Offset == offset {
		return near
	}
	return log.Position{Offset: offset, Byte: -1}
}

// moved tells about how many bytes lie between two positions of a bound: 0
// when it did not move, Unknown when that cannot be told.
func moved(from, to log.Position) int {
	switch {
	case to.Offset <= from.Offset:
		return 0
	case from.Byte < 0 || to.Byte < 0 || from.Segment != to.Segment:
		return Unknown
	}
	return int(max(1, min(to.Byte-from.Byte, Unknown)))
}
