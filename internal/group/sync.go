package group

import (
	"ottla/internal/wire"
)

// sync steps a Sync. The leader's brings the assignment: it is stored, and all
// get theirs.
func (t *turn) sync(c *Sync) error {
	if c.Group == "" {
		return wire.InvalidGroupID
	}
	if k := t.m.kindOf(c.Group); k != nil {
		return t.syncKind(k, c)
	}
	g := t.m.groups[c.Group]
	if g == nil || g.live.state == Empty {
		return wire.UnknownMemberID
	}
	l := g.live
	if code := l.validate(c.MemberID, c.InstanceID); code != wire.None {
		return code
	}
	switch {
	case c.Generation != l.generation:
		return wire.IllegalGeneration
	case differ(c.ProtocolType, l.typeOrNil()) || differ(c.Protocol, l.protocol):
		return wire.InconsistentGroupProtocol
	case l.state == PreparingRebalance:
		return wire.RebalanceInProgress
	}
	d := t.edit(c.Group, l)
	m := d.changeByID(c.MemberID)
	m.owesSync = false
	if !d.members.owesSync() {
		t.cancel(syncKey{t.id})
	}
	switch {
	case d.state == Stable: // the leader was here already, or the reply was lost
		t.answer(d.assigned(m))
	case d.leader == m.id:
		t.reply(m.sync, SyncReply{Code: wire.RebalanceInProgress})
		m.sync = t.token
		t.assign(d, c.Assignments)
	default:
		t.reply(m.sync, SyncReply{Code: wire.RebalanceInProgress})
		m.sync = t.token
	}
	return nil
}

// differ tells whether two names that are both said are not the same.
func differ(a, b *string) bool { return a != nil && b != nil && *a != *b }

// assign gives each member what the leader has for it, nothing where it has
// nothing, and makes the group stable.
func (t *turn) assign(d *live, assignments []Assignment) {
	parts := make(map[string][]byte, len(assignments))
	for i := range assignments {
		parts[assignments[i].MemberID] = assignments[i].Bytes
	}
	d.to(Stable, t.wall)
	for i := range d.members {
		m := d.change(i)
		m.assignment = parts[m.id]
		if m.sync != 0 {
			t.reply(m.sync, d.assigned(m))
			m.sync = 0
			t.alive(t.id, m)
		}
	}
	t.store(d)
}

func (d *live) assigned(m *member) SyncReply {
	return SyncReply{ProtocolType: d.typeOrNil(), Protocol: d.protocol, Assignment: m.assignment}
}

// syncDue ends the wait for syncs: who did not come is out.
func (t *turn) syncDue(c syncDue) {
	g := t.m.groups[c.group]
	if g == nil || g.live.generation != c.generation || g.live.state != CompletingRebalance && g.live.state != Stable || !g.live.members.owesSync() {
		return
	}
	d := t.edit(c.group, g.live)
	for i := len(d.members) - 1; i >= 0; i-- {
		if m := d.members[i]; m.owesSync {
			t.remove(d, m.id)
			t.cancel(sessionKey{t.id, m.id})
		}
	}
	t.prepare(d)
}
