package streams

import (
	"ottla/internal/group/kind"
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
		return notStreams(c.Group)
	}
	m, err := g.leaver(c)
	if err != nil {
		return err
	}
	e := k.edit(t, g)
	if c.Shutdown {
		e.then(func(s *soft) { s.shutdown = m.id })
	}
	if c.Epoch == leavingSoon && c.InstanceID != nil {
		n := *m
		n.epoch, n.revoking = leavingSoon, roleTasks{}
		e.current(&n)
	} else {
		e.fence(m)
	}
	t.Answer(Beat{MemberID: m.id, Epoch: c.Epoch, EndpointEpoch: g.soft.endpointEpoch})
	return nil
}

// leaver finds the member that leaves.
func (g *group) leaver(c *Heartbeat) (*member, error) {
	if c.InstanceID == nil {
		if m := g.members[c.MemberID]; m != nil {
			return m, nil
		}
		return nil, unknown(c.MemberID, g.id)
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

// fence takes a member out.
func (e *edit) fence(m *member) {
	e.remove(m.id)
	e.forget(m.id)
	e.bump(e.g.meta)
	if len(e.g.members) == 0 { // nobody is left to be assigned anything
		e.targetAt(e.g.meta.Epoch, 0)
		e.t.Cancel(delayKey{e.g.id})
	}
	empty := len(e.g.members) == 0
	e.then(func(s *soft) {
		delete(s.offsets, m.id)
		s.endpointEpoch++
		if empty {
			s.shutdown, s.delayed = "", false
		}
	})
}

// forget takes all of a member's timers away.
func (e *edit) forget(id string) {
	e.t.Cancel(sessionKey{e.g.id, id})
	e.t.Cancel(rebalanceKey{e.g.id, id})
}
