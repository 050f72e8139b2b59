package group

import (
	"ottla/internal/wire"
)

// heartbeat steps a Heartbeat.
func (t *turn) heartbeat(c *Heartbeat) error {
	if c.Group == "" {
		return wire.InvalidGroupID
	}
	if k := t.m.kindOf(c.Group); k != nil {
		return t.heartbeatKind(k, c)
	}
	g := t.m.groups[c.Group]
	if g == nil {
		return wire.UnknownMemberID
	}
	l := g.live
	if code := l.validate(c.MemberID, c.InstanceID); code != wire.None {
		return code
	}
	if c.Generation != l.generation {
		return wire.IllegalGeneration
	}
	t.alive(c.Group, l.members.get(c.MemberID))
	if l.state == PreparingRebalance {
		t.refuse(t.token, wire.RebalanceInProgress)
		return nil
	}
	t.answer(nil)
	return nil
}

// sessionDue takes out a member that gave no sign of life, or an id that
// nobody came back with.
func (t *turn) sessionDue(c sessionDue) {
	g := t.m.groups[c.group]
	if g == nil {
		return
	}
	if g.live.isPending(c.member) {
		d := t.edit(c.group, g.live)
		d.dropPending(c.member)
		t.afterRemoval(d)
		return
	}
	m := g.live.members.get(c.member)
	if m == nil || m.waits() {
		return
	}
	d := t.edit(c.group, g.live)
	t.reply(m.join, JoinReply{Code: wire.UnknownMemberID})
	t.reply(m.sync, SyncReply{Code: wire.UnknownMemberID})
	t.remove(d, c.member)
	switch d.state {
	case Stable, CompletingRebalance:
		t.prepare(d)
	default:
		t.afterRemoval(d)
	}
}

// afterRemoval completes a rebalance that waited for nobody else, an initial
// one too.
func (t *turn) afterRemoval(d *live) {
	if d.state == PreparingRebalance && d.allJoined() {
		t.complete(d)
	}
}

// leave steps a Leave. Each member has its own code.
func (t *turn) leave(c *Leave) error {
	if c.Group == "" {
		return wire.InvalidGroupID
	}
	if k := t.m.kindOf(c.Group); k != nil {
		return t.leaveKind(k, c)
	}
	g := t.m.groups[c.Group]
	if g == nil {
		return wire.UnknownMemberID
	}
	d := t.edit(c.Group, g.live)
	r, left := LeaveReply{}, false
	for i := range c.Members {
		code := t.leaveOne(d, &c.Members[i])
		r.Codes = append(r.Codes, code)
		left = left || code == wire.None
	}
	t.answer(r)
	if !left {
		t.draft = nil
		return nil
	}
	if d.state != Empty {
		t.rebalanceOrComplete(d)
	}
	return nil
}

func (t *turn) leaveOne(d *live, who *Leaver) wire.Code {
	id := who.MemberID
	switch {
	case id == "":
		if who.InstanceID == nil {
			return wire.UnknownMemberID
		}
		m := d.members.instance(*who.InstanceID)
		if m == nil {
			return wire.UnknownMemberID
		}
		id = m.id
	case d.isPending(id):
	default:
		if code := d.validate(id, who.InstanceID); code != wire.None {
			return code
		}
	}
	if m := d.members.get(id); m != nil {
		t.reply(m.join, JoinReply{Code: wire.UnknownMemberID})
		t.reply(m.sync, SyncReply{Code: wire.UnknownMemberID})
	}
	t.cancel(sessionKey{t.id, id})
	t.remove(d, id)
	return wire.None
}

// loaded sets the timers after a load: every member has its whole session to
// come again. A group that is larger than it may be now rebalances, so that it
// shrinks.
func (t *turn) loaded() {
	for _, id := range sorted(t.m.groups) {
		members := t.m.groups[id].live.members
		for _, m := range members {
			t.alive(id, m)
		}
		if len(members) > t.m.s.MaxSize {
			t.timer(joinKey{id}, 0, crowdedDue{id})
		}
	}
	t.timer(sweepKey{}, t.m.s.RetentionCheck, sweepDue{})
	for _, k := range t.m.kinds {
		k.Loaded(t.kind())
	}
}

// crowdedDue begins the rebalance of a group that is too large.
func (t *turn) crowdedDue(c crowdedDue) {
	if g := t.m.groups[c.group]; g != nil && g.live.state == Stable {
		t.prepare(t.edit(c.group, g.live))
	}
}
