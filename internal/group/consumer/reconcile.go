package consumer

import (
	"slices"

	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// reconcile takes a member a step towards its target and writes where it is
// then. resubscribed tells that it reads something else now: what it does not
// read any more it must give up whatever the target says. owned is what it says
// to have, when it says so.
func (e *edit) reconcile(m *member, resubscribed bool, owned slots, said bool) (*member, error) {
	// Members of a group without a target yet are at 1, with nothing.
	epoch := max(e.g.targetEpoch, 1)
	if !resubscribed && m.settled(epoch) {
		return m, nil
	}
	w := way{e: e, m: m, owned: owned, said: said, target: e.g.target[m.id], epoch: epoch}
	n, err := w.next(resubscribed)
	if err != nil || n.sameNow(m) {
		return m, err
	}
	e.current(n)
	n = e.g.members[m.id]
	if n.state == unrevoked {
		e.k.watchRevoking(e.t, e.g.id, n)
	} else if m.state == unrevoked {
		e.t.Cancel(rebalanceKey{e.g.id, m.id})
	}
	return n, nil
}

// way is a member on its way to its target (KIP-848): what it has and shall not
// have it must give up first, at the epoch it is at; then it goes to the
// target's epoch, with all that nobody else has, and waits for the rest.
type way struct {
	e      *edit
	m      *member
	owned  slots
	said   bool
	target slots
	epoch  int32 // of the target
	reads  map[uuid.UUID]bool
}

// next gives the member after the step, the same when there is none to take.
func (w *way) next(resubscribed bool) (*member, error) {
	m := w.m
	switch m.state {
	case stable:
		if m.epoch != w.epoch {
			return w.step(m.epoch), nil
		}
		if resubscribed {
			return w.shrink(), nil
		}
		return m, nil
	case unrevoked:
		if !w.holds(m.revoking) {
			return w.step(m.epoch), nil
		}
		if resubscribed {
			return w.shrink(), nil
		}
		return m, nil
	case unreleased:
		return w.step(m.epoch), nil
	}
	// A state of a later release: the member begins anew.
	if !w.said || len(w.owned) > 0 {
		return nil, wire.Errorf(wire.FencedMemberEpoch, "The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.")
	}
	return w.step(w.epoch), nil
}

// holds tells whether the member still has one of some partitions. One that
// does not say counts as having them.
func (w *way) holds(list slots) bool {
	return !w.said || slices.ContainsFunc(w.owned, list.has)
}

// wants tells whether the member reads the topic of a partition.
func (w *way) wants(s slot) bool {
	if v, ok := w.reads[s.topic]; ok {
		return v
	}
	t := w.e.k.s.Image().TopicByID(s.topic)
	v := t != nil && w.e.g.readsBy(w.m, t.Name)
	if w.reads == nil {
		w.reads = map[uuid.UUID]bool{}
	}
	w.reads[s.topic] = v
	return v
}

// free tells whether nobody else has a partition.
func (w *way) free(s slot) bool {
	owner, owned := w.e.g.owners[s.place()]
	return !owned || owner == w.m.id
}

// step takes the member towards the target; epoch is the one it stays at while
// it has to give something up.
func (w *way) step(epoch int32) *member {
	m := w.m
	keep, drop := m.assigned.split(func(s slot) bool { return w.target.has(s) && w.wants(s) })
	if len(drop) > 0 && w.holds(drop) {
		return m.to(unrevoked, epoch, keep, drop)
	}
	var more slots
	s := stable
	for _, x := range w.target {
		switch {
		case !w.wants(x) || keep.has(x):
		case w.free(x):
			x.epoch = w.epoch
			more = append(more, x)
		default:
			s = unreleased
		}
	}
	return m.to(s, w.epoch, keep.with(more), nil)
}

// shrink takes off what the member does not read any more, without waiting for
// another target.
func (w *way) shrink() *member {
	m := w.m
	keep, drop := m.assigned.split(w.wants)
	if len(drop) == 0 {
		return m
	}
	if revoking := m.revoking.with(drop); w.holds(revoking) {
		return m.to(unrevoked, m.epoch, keep, revoking)
	}
	return m.to(m.state, m.epoch, keep, m.revoking)
}
