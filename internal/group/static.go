package group

import (
	"slices"

	"ottla/internal/wire"
)

// replace lets a static member that came back without its id take its place
// under a new id (KIP-345): assignment and leadership stay, the old id is
// fenced. In a stable group nobody else notices, unless the group would now
// choose another protocol.
func (t *turn) replace(d *live, c *Join, oldID, newID string) {
	oldLeader := d.leader
	i, _ := d.members.find(oldID)
	old := d.members[i]
	t.reply(old.join, JoinReply{Code: wire.FencedInstanceID, MemberID: oldID})
	t.reply(old.sync, SyncReply{Code: wire.FencedInstanceID})
	t.cancel(sessionKey{t.id, oldID})
	m := *old
	m.id, m.join, m.sync, m.isNew, m.owesSync = newID, 0, 0, false, false
	t.remove(d, oldID)
	at, _ := d.members.find(newID)
	d.members = slices.Insert(d.members, at, &m)
	if oldLeader == oldID {
		d.leader = newID
	}
	t.renew(&m, c)
	t.alive(t.id, &m)
	switch d.state {
	case Stable:
		if d.protocol == nil || d.members.choose() != *d.protocol {
			t.rebalanceOrComplete(d)
			return
		}
		m.join = 0
		t.store(d)
		t.answer(d.replaced(c, newID, oldLeader))
	case CompletingRebalance:
		t.prepare(d)
	default:
		t.completeIfJoined(d)
	}
}

// replaced is the reply to a static member that took its place without a
// rebalance. A leader that understands it is told to assign nothing (KIP-814);
// another is told that the old id leads, so that it does not try.
func (d *live) replaced(c *Join, id, oldLeader string) JoinReply {
	r := d.joined(id)
	if c.SkipAssignment {
		r.SkipAssignment = id == d.leader
		return r
	}
	r.Members, r.Leader = nil, oldLeader
	return r
}
