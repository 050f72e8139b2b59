package consumer

import (
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// leave steps the Heartbeat of a member that goes, for good or (a static one)
// for a while.
func (k *Kind) leave(t *kind.Turn, c *Heartbeat) error {
	g := k.Groups[c.Group]
	switch {
	case g != nil:
	case k.host.TypeOf(c.Group) == kind.None:
		return wire.Errorf(wire.GroupIDNotFound, "Group %s not found.", c.Group)
	default:
		return wire.Errorf(wire.GroupIDNotFound, "Group %s is not a consumer group.", c.Group)
	}
	m, err := g.leaver(c)
	if err != nil {
		return err
	}
	e := k.edit(t, g)
	if c.Epoch == leavingSoon && c.InstanceID != nil {
		n := *m
		n.epoch, n.revoking = leavingSoon, nil
		e.current(&n)
	} else {
		e.fence(m)
	}
	t.Answer(Beat{MemberID: m.id, Epoch: c.Epoch})
	return nil
}

// leaver finds the member that leaves.
func (g *group) leaver(c *Heartbeat) (*member, error) {
	if c.InstanceID == nil {
		if m := g.members[c.MemberID]; m != nil {
			return m, nil
		}
		return nil, wire.Errorf(wire.UnknownMemberID, "Member %s is not a member of group %s.", c.MemberID, g.id)
	}
	m := g.static(*c.InstanceID)
	switch {
	case m == nil:
		return nil, wire.Errorf(wire.UnknownMemberID, "Instance id %s is unknown.", *c.InstanceID)
	case m.id != c.MemberID:
		return nil, fencedInstance(c.MemberID, *c.InstanceID, m.id)
	}
	return m, nil
}

// fence takes members out. Where only classic members are left, the group
// becomes a classic one, if that may be.
func (e *edit) fence(members ...*member) {
	if e.mayDowngrade(members...) {
		e.downgrade(true, members...)
		return
	}
	for _, m := range members {
		e.remove(m.id)
		e.forget(m.id)
		e.dropRegex(m.regex(), 0)
	}
	e.bump(e.hash())
	if len(e.g.members) == 0 { // nobody is left to be assigned anything
		e.write(schema.ConsumerTarget, "", schema.AppendTarget(nil, schema.TargetValue{Epoch: e.g.epoch}))
	}
}

// fenceDue takes out a member whose time is over.
func (k *Kind) fenceDue(t *kind.Turn, group, id string) {
	if g := k.Groups[group]; g != nil && g.members[id] != nil {
		k.edit(t, g).fence(g.members[id])
	}
}

// rebalanceDue takes out a member that did not give up its partitions in its
// rebalance timeout.
func (k *Kind) rebalanceDue(t *kind.Turn, c rebalanceDue) {
	if g := k.Groups[c.group]; g != nil && g.members[c.member] != nil && g.members[c.member].epoch == c.epoch {
		k.fenceDue(t, c.group, c.member)
	}
}
