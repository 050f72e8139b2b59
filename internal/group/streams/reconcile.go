package streams

// reconcile takes a member a step towards its target and writes where it is
// then. owned is what it says to have, when it says so.
func (e *edit) reconcile(m *member, owned roleTasks, said bool) *member {
	// Members of a group without a target yet are at 1, with nothing.
	epoch := max(e.g.targetEpoch, 1)
	if m.settled(epoch) {
		return m
	}
	if m.state == unrevoked && (!said || owned.overlaps(m.revoking)) {
		return m
	}
	n := e.step(m, e.g.target[m.id], epoch, owned, said)
	if n.sameNow(m) {
		return m
	}
	e.current(n)
	n = e.g.members[m.id]
	if n.state == unrevoked {
		e.k.watchRevoking(e.t, e.g.id, n)
	} else if m.state == unrevoked {
		e.t.Cancel(rebalanceKey{e.g.id, m.id})
	}
	return n
}

// step takes the member towards its target: what it has and shall not have it
// gives up first, at the epoch that it is at; then it goes to the target's
// epoch with all that is free, and waits for the rest.
func (e *edit) step(m *member, target roleTasks, epoch int32, owned roleTasks, said bool) *member {
	var keep, drop roleTasks
	for r := range m.assigned {
		keep[r], drop[r] = m.assigned[r].split(target[r].has)
	}
	if !drop.empty() && (!said || owned.overlaps(drop)) {
		return m.to(unrevoked, m.epoch, keep, drop)
	}
	near := e.near(m)
	s := stable
	var more roleTasks
	for r := range target {
		for _, x := range target[r] {
			owner, has := e.g.owners[x.place]
			switch {
			case keep[r].has(x):
			case role(r) == active && has && owner != m.id, near(x.place):
				s = unreleased
			default:
				if role(r) == active {
					x.epoch = epoch
				}
				more[r] = append(more[r], x)
			}
		}
	}
	return m.to(s, epoch, keep.with(more), roleTasks{})
}

// near tells whether another member of the same process has a task, in any
// role: they share their state directory.
func (e *edit) near(m *member) func(place) bool {
	var others []*member
	for _, id := range e.g.ids {
		if o := e.g.members[id]; o.id != m.id && o.said.ProcessID == m.said.ProcessID {
			others = append(others, o)
		}
	}
	return func(p place) bool {
		for _, o := range others {
			if o.assigned.hasPlace(p) || o.revoking.hasPlace(p) {
				return true
			}
		}
		return false
	}
}
