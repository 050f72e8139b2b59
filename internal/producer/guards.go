package producer

import "ottla/internal/record"

// Guard is what a batch shows that wants to begin a transaction in a
// partition: its coordinator vouched for it since, and no marker came between
// (KIP-890). 0 is none.
type Guard uint64

// maxGuards bounds the producers that a partition waits for. Each takes some
// hundred bytes; beyond it the oldest is dropped, and its batch is refused as
// after a marker: the client aborts and begins anew.
const maxGuards = 4096

// Guards are the producers whose coordinator has been asked whether their
// transaction covers the partition, and that have not written since. The zero
// value is empty and takes no memory. They are soft: a restart forgets them,
// and whoever still holds one is asked to vouch again.
//
// Like State they belong to whoever serialises the writers of the log.
type Guards struct {
	last  Guard
	asked map[int64]asked // by producer id
	order []place         // oldest first; those no longer in asked are passed over
}

type asked struct {
	guard   Guard
	sinceMs int64
	lowest  int32 // the first sequence of the earliest batch that waits
	epoch   int16
	bumps   bool
}

type place struct {
	id    int64
	guard Guard
}

// Ask gives the guard for a batch of a producer that has no transaction open
// here. All that ask before one of them is written share a guard, and the
// lowest sequence among them must come first. bumps says that the producer
// gets a new epoch with each transaction, and so begins at sequence 0.
func (g *Guards) Ask(id int64, epoch int16, firstSeq int32, bumps bool, nowMs int64) Guard {
	a, ok := g.asked[id]
	switch {
	case !ok:
		g.last++
		a = asked{guard: g.last, sinceMs: nowMs, lowest: firstSeq, epoch: epoch, bumps: bumps}
		g.add(id, a.guard)
	case epoch > a.epoch:
		a.epoch, a.lowest = epoch, firstSeq
	case epoch == a.epoch:
		a.lowest = min(a.lowest, firstSeq)
	}
	g.asked[id] = a
	return a.guard
}

// add makes room for one more and notes its place.
func (g *Guards) add(id int64, guard Guard) {
	if g.asked == nil {
		g.asked = make(map[int64]asked)
	}
	for len(g.asked) >= maxGuards {
		g.Forget(g.order[0].id, g.order[0].guard)
		g.order = g.order[1:]
	}
	if len(g.order) >= 2*maxGuards {
		g.compact()
	}
	g.order = append(g.order, place{id, guard})
}

// compact drops the places of those that are gone.
func (g *Guards) compact() {
	kept := g.order[:0:0]
	for _, p := range g.order {
		if g.asked[p.id].guard == p.guard {
			kept = append(kept, p)
		}
	}
	g.order = kept
}

// Check judges a transactional batch of a producer without a transaction here,
// after State.Check: a guard that is not the one at hand is InvalidTxnState;
// before others that wait, or after ones that never came, it is OutOfOrder.
// remembers says that the state has batches of the producer.
func (g *Guards) Check(h *record.Header, given Guard, remembers bool) Verdict {
	a, ok := g.asked[h.ProducerID]
	switch {
	case !ok || a.guard != given:
		return InvalidTxnState
	case h.BaseSequence < 0:
		return Accept
	case a.bumps && h.BaseSequence != 0 && !remembers, h.BaseSequence > a.lowest:
		return OutOfOrder
	}
	return Accept
}

// Written forgets a producer: its transaction has begun here, or has ended.
func (g *Guards) Written(id int64) {
	delete(g.asked, id)
	g.rest()
}

// Forget drops one guard, unless another took its place.
func (g *Guards) Forget(id int64, guard Guard) {
	if g.asked[id].guard == guard {
		delete(g.asked, id)
	}
}

// Expire forgets those that were asked for before beforeMs.
func (g *Guards) Expire(beforeMs int64) {
	for id, a := range g.asked {
		if a.sinceMs < beforeMs {
			delete(g.asked, id)
		}
	}
	g.rest()
}

// Reset forgets all. No guard that was given is good any more.
func (g *Guards) Reset() { g.asked, g.order = nil, nil }

// rest gives the places back when nobody waits.
func (g *Guards) rest() {
	if len(g.asked) == 0 {
		g.order = g.order[:0]
	}
}

// Len is how many producers are waited for.
func (g *Guards) Len() int { return len(g.asked) }
