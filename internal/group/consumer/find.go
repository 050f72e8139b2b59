package consumer

import (
	"slices"

	"ottla/internal/group/kind"
	"ottla/internal/wire"
)

// open finds the group of a heartbeat; one that joins makes it, and turns a
// classic group into one if that may be.
func (k *Kind) open(t *kind.Turn, c *Heartbeat) (*edit, error) {
	if g := k.Groups[c.Group]; g != nil {
		return k.edit(t, g), nil
	}
	switch owner := k.host.TypeOf(c.Group); {
	case owner == kind.None && c.Epoch != joining:
		return nil, wire.Errorf(wire.GroupIDNotFound, "Consumer group %s not found.", c.Group)
	case owner == kind.None:
		return &edit{k: k, t: t, g: newGroup(c.Group), mine: true}, nil
	case owner == kind.Classic && c.Epoch == joining:
		return k.upgrade(t, c.Group)
	}
	return nil, wire.Errorf(wire.GroupIDNotFound, "Group %s is not a consumer group.", c.Group)
}

// find gives the member that a heartbeat is of, a new one when it joins.
func (k *Kind) find(e *edit, c *Heartbeat, owned slots) (*member, error) {
	if c.InstanceID != nil {
		return k.findStatic(e, c, owned)
	}
	m := e.g.members[c.MemberID]
	if m == nil {
		if c.Epoch != joining {
			return nil, wire.Errorf(wire.UnknownMemberID, "Member %s is not a member of group %s.", c.MemberID, c.Group)
		}
		return newMember(c.MemberID), nil
	}
	return m, m.fence(c, owned)
}

// findStatic is find for a member with an instance id. One that joins takes
// the place of a member that left for a while (or that spoke the classic
// protocol); its target and what it had go over to the new id.
func (k *Kind) findStatic(e *edit, c *Heartbeat, owned slots) (*member, error) {
	m := e.g.static(*c.InstanceID)
	if c.Epoch != joining {
		switch {
		case m == nil:
			return nil, wire.Errorf(wire.UnknownMemberID, "Instance id %s is unknown.", *c.InstanceID)
		case m.id != c.MemberID:
			return nil, fencedInstance(c.MemberID, *c.InstanceID, m.id)
		}
		return m, m.fence(c, owned)
	}
	switch {
	case m == nil && e.g.members[c.MemberID] != nil:
		return e.g.members[c.MemberID], nil
	case m == nil:
		return newMember(c.MemberID), nil
	case !m.classic() && m.epoch != leavingSoon:
		return nil, wire.Errorf(wire.UnreleasedInstanceID, "Static member %s with instance id %s cannot join the group because the instance id is owned by %s member.",
			c.MemberID, *c.InstanceID, m.id)
	}
	return e.replace(m, c.MemberID), nil
}

func fencedInstance(id, instance, by string) error {
	return wire.Errorf(wire.FencedInstanceID, "Static member %s with instance id %s was fenced by member %s.", id, instance, by)
}

// replace gives a static member's place to another id.
func (e *edit) replace(old *member, id string) *member {
	n := *old
	n.id, n.epoch, n.previous = id, 0, 0
	target := e.g.target[old.id]
	e.remove(old.id)
	e.forget(old.id)
	e.said(&n)
	e.aim(id, target)
	e.current(&n)
	return e.g.members[id]
}

// fence refuses a member at another epoch than the group knows it at. The one
// before is let pass when the member has nothing that it should not have: then
// an answer was lost. Epoch 0 begins anew.
func (m *member) fence(c *Heartbeat, owned slots) error {
	switch {
	case c.Epoch == joining || c.Epoch == m.epoch:
		return nil
	case c.Epoch > m.epoch:
		return wire.Errorf(wire.FencedMemberEpoch, "The consumer group member has a greater member epoch (%d) than the one known by the group coordinator (%d). The member must abandon all its partitions and rejoin.",
			c.Epoch, m.epoch)
	case c.Epoch == m.previous && c.SaidOwned && !slices.ContainsFunc(owned, func(s slot) bool { return !m.assigned.has(s) }):
		return nil
	}
	return wire.Errorf(wire.FencedMemberEpoch, "The consumer group member has a smaller member epoch (%d) than the one known by the group coordinator (%d). The member must abandon all its partitions and rejoin.",
		c.Epoch, m.epoch)
}
