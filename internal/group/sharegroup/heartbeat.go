package sharegroup

import (
	"slices"

	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// maxText bounds ids and names, as Kafka's strings are.
const maxText = 1<<15 - 1

// valid judges the form of a heartbeat.
func (c *Heartbeat) valid() error {
	switch {
	case c.Group == "":
		return wire.Errorf(wire.InvalidRequest, "GroupId can't be empty.")
	case c.MemberID == "":
		return wire.InvalidRequest
	case len(c.Group) > maxText || len(c.MemberID) > maxText:
		return wire.Errorf(wire.InvalidRequest, "The group's or the member's id is too long.")
	case c.RackID != nil && *c.RackID == "":
		return wire.Errorf(wire.InvalidRequest, "RackId can't be empty.")
	case c.Epoch < leaving:
		return wire.Errorf(wire.InvalidRequest, "MemberEpoch is invalid.")
	case c.Epoch == joining && len(c.Topics) == 0:
		return wire.Errorf(wire.InvalidRequest, "SubscribedTopicNames must be set in first request.")
	}
	return nil
}

// heartbeat steps a Heartbeat.
func (k *Kind) heartbeat(t *kind.Turn, c *Heartbeat) error {
	if err := c.valid(); err != nil {
		return err
	}
	g, err := k.find(c)
	if err != nil {
		return err
	}
	if c.Epoch == leaving {
		return k.leave(t, c, g)
	}
	e := k.edit(t, g)
	m, err := k.judge(g, c)
	if err != nil {
		return err
	}
	must := e.say(m, c)
	e.refresh(must)
	now := e.reconcile(e.g.members[c.MemberID])
	k.alive(t, g.id, c.MemberID)
	beat := Beat{MemberID: c.MemberID, Epoch: now.epoch, Interval: k.interval(g.id)}
	if c.Epoch == joining || c.SaidTopics || m == nil || !sameParts(m.assigned, now.assigned) {
		beat.Assigned, beat.Assignment = true, now.assigned
	}
	t.Answer(beat)
	return nil
}

// find gives the group, a new one for whoever joins one that is not there. A
// classic group of which nothing is left becomes one.
func (k *Kind) find(c *Heartbeat) (*group, error) {
	if g := k.Groups[c.Group]; g != nil {
		return g, nil
	}
	if k.host.TypeOf(c.Group) != kind.None {
		return nil, wire.Errorf(wire.GroupIDNotFound, "Group %s is not a share group.", c.Group)
	}
	if c.Epoch == leaving {
		return nil, wire.Errorf(wire.GroupIDNotFound, "Group %s not found.", c.Group)
	}
	if c.Epoch != joining {
		return nil, wire.Errorf(wire.GroupIDNotFound, "Share group %s not found.", c.Group)
	}
	return newGroup(c.Group), nil
}

// judge tells whether a member may go on from the epoch that it names; nil for
// a new one.
func (k *Kind) judge(g *group, c *Heartbeat) (*member, error) {
	m := g.members[c.MemberID]
	switch {
	case m == nil && c.Epoch != joining:
		return nil, wire.Errorf(wire.UnknownMemberID, "Member %s is not a member of group %s.", c.MemberID, g.id)
	case m == nil && len(g.members) >= k.s.MaxSize:
		return nil, wire.Errorf(wire.GroupMaxSizeReached, "The share group has reached its maximum capacity of %d members.", k.s.MaxSize)
	case m == nil || c.Epoch == joining || c.Epoch == m.epoch || c.Epoch == m.previous:
		return m, nil
	case c.Epoch > m.epoch:
		return nil, wire.Errorf(wire.FencedMemberEpoch, "The share group member has a greater member epoch (%d) than the one known by the group coordinator (%d). The member must abandon all its partitions and rejoin.", c.Epoch, m.epoch)
	}
	return nil, wire.Errorf(wire.FencedMemberEpoch, "The share group member has a smaller member epoch (%d) than the one known by the group coordinator (%d). The member must abandon all its partitions and rejoin.", c.Epoch, m.epoch)
}

// say writes what a member says anew, and tells whether it reads something
// else now. m is nil for a new one.
func (e *edit) say(m *member, c *Heartbeat) bool {
	said := schema.ShareMemberValue{}
	if m != nil {
		said = m.said
	}
	before := said
	said.ClientID, said.ClientHost = c.ClientID, c.ClientHost
	if c.RackID != nil {
		said.RackID = c.RackID
	}
	if c.SaidTopics {
		said.Topics = distinct(c.Topics)
	}
	others := !slices.Equal(before.Topics, said.Topics)
	if m == nil || others || before.ClientID != said.ClientID || before.ClientHost != said.ClientHost || !sameText(before.RackID, said.RackID) {
		e.write(schema.ShareMember, c.MemberID, schema.AppendShareMember(nil, said))
	}
	return m == nil || others
}

// reconcile gives a member what it shall have.
func (e *edit) reconcile(m *member) *member {
	target := e.g.target[m.id]
	if m.epoch == e.g.targetEpoch && sameParts(m.assigned, target) {
		return m
	}
	v := schema.ShareCurrentValue{Epoch: e.g.targetEpoch, Previous: m.epoch, Assigned: target}
	e.write(schema.ShareCurrent, m.id, schema.AppendShareCurrent(nil, v))
	return e.g.members[m.id]
}

// leave takes a member out at its own wish.
func (k *Kind) leave(t *kind.Turn, c *Heartbeat, g *group) error {
	if g.members[c.MemberID] == nil {
		return wire.Errorf(wire.UnknownMemberID, "Member %s is not a member of group %s.", c.MemberID, g.id)
	}
	k.out(t, g, c.MemberID)
	t.Answer(Beat{MemberID: c.MemberID, Epoch: leaving})
	return nil
}

// sessionDue takes a silent member out.
func (k *Kind) sessionDue(t *kind.Turn, c sessionDue) {
	if g := k.Groups[c.group]; g != nil && g.members[c.member] != nil {
		k.out(t, g, c.member)
	}
}

// out removes a member; the others get what it had.
func (k *Kind) out(t *kind.Turn, g *group, id string) {
	e := k.edit(t, g)
	e.remove(id)
	e.refresh(true)
	gone, group := k.s.Gone, g.id
	t.Work(func() any {
		gone(group, id)
		return told{}
	})
}

// alive starts a member's session anew.
func (k *Kind) alive(t *kind.Turn, group, member string) {
	t.Timer(sessionKey{group, member}, k.s.Of(group).Session, sessionDue{group, member})
}

func distinct(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}

func sameText(a, b *string) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func sameParts(a, b []schema.TopicPartitions) bool {
	return slices.EqualFunc(a, b, func(x, y schema.TopicPartitions) bool {
		return x.Topic == y.Topic && slices.Equal(x.Partitions, y.Partitions)
	})
}
