package consumer

import (
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// JoinClassic implements kind.Mixed: a member that speaks the classic protocol
// joins the group. It is assigned by the server like all others, and learns of
// it by syncing; a heartbeat sends it back to joining when it has to give
// something up, or may have more.
func (k *Kind) JoinClassic(t *kind.Turn, c *kind.ClassicJoin) (kind.ClassicJoined, error) {
	g := k.Groups[c.Group]
	id := c.Member.ID
	if id == "" {
		id = c.NewID
	}
	no := kind.ClassicJoined{MemberID: c.Member.ID}
	switch {
	case g.members[id] == nil && len(g.members) >= k.s.MaxSize:
		no.Code = wire.GroupMaxSizeReached
		return no, nil
	case !g.knows(c):
		no.Code = wire.InconsistentGroupProtocol
		return no, nil
	case c.Member.ID == "" && c.KnownIDs && c.Member.InstanceID == nil:
		return kind.ClassicJoined{Code: wire.MemberIDRequired, MemberID: id}, nil
	}
	sub, err := schema.ParseWholeSubscription(c.Member.Protocols[0].Metadata)
	if err != nil {
		return no, wire.Errorf(wire.UnknownServerError, "member %s of group %s: %w", id, c.Group, err)
	}
	e := k.edit(t, g)
	old, replaced, err := e.findClassic(c, id)
	if err != nil {
		return no, err
	}
	m := old.renewedClassic(c, &sub)
	changed, err := e.subscribe(old, m)
	if err != nil {
		return no, err
	}
	e.refresh(changed.bump)
	if replaced && e.mayDowngrade() {
		return e.joinLast(m, changed.any, k.byID(sub.Owned))
	}
	e.assign()
	now, err := e.reconcile(e.g.members[id], changed.any, k.byID(sub.Owned), true)
	if err != nil {
		return no, err
	}
	t.Cancel(joinKey{c.Group, id})
	e.then(func(g *group) { delete(g.late, id) })
	k.alive(t, c.Group, now)
	t.Timer(syncKey{c.Group, id}, now.rebalance(), syncDue{c.Group, id})
	return now.joined(), nil
}

// joined tells a classic member what it is at.
func (m *member) joined() kind.ClassicJoined {
	return kind.ClassicJoined{MemberID: m.id, Epoch: m.epoch, Protocol: m.protocol()}
}

// joinLast ends the join of a member that took the place of the last one that
// spoke the consumer protocol: the group becomes a classic one.
func (e *edit) joinLast(m *member, resubscribed bool, owned slots) (kind.ClassicJoined, error) {
	now := e.g.members[m.id]
	if !resubscribed {
		var err error
		if now, err = e.reconcile(now, false, owned, true); err != nil {
			return kind.ClassicJoined{}, err
		}
	}
	joined := now.joined()
	joined.Epoch = e.g.epoch
	e.downgrade(resubscribed)
	return joined, nil
}

// knows tells whether a classic member that joins fits to those that are there.
func (g *group) knows(c *kind.ClassicJoin) bool {
	if c.ProtocolType != protocolType || len(c.Member.Protocols) == 0 {
		return false
	}
	for i := range c.Member.Protocols {
		if g.protocols[c.Member.Protocols[i].Name] == g.classics {
			return true
		}
	}
	return false
}

// findClassic finds the member that joins, a new one where there is none. A
// static one without its id takes the place of whoever has it; replaced tells
// so.
func (e *edit) findClassic(c *kind.ClassicJoin, id string) (m *member, replaced bool, err error) {
	if c.Member.InstanceID == nil {
		if m = e.g.members[id]; m == nil {
			m = newMember(id)
		}
		return m, false, nil
	}
	m = e.g.static(*c.Member.InstanceID)
	switch {
	case c.Member.ID != "" && m == nil:
		return nil, false, wire.Errorf(wire.UnknownMemberID, "Instance id %s is unknown.", *c.Member.InstanceID)
	case c.Member.ID != "" && m.id != id:
		return nil, false, fencedInstance(id, *c.Member.InstanceID, m.id)
	case c.Member.ID != "":
		return m, false, nil
	case m == nil:
		return newMember(id), false, nil
	}
	return e.replace(m, id), true, nil
}

// renewedClassic is the member with what a classic join says.
func (m *member) renewedClassic(c *kind.ClassicJoin, sub *schema.Subscription) *member {
	n := *m
	n.said.InstanceID = c.Member.InstanceID
	if sub.Rack != nil {
		n.said.RackID = sub.Rack
	}
	n.said.ClientID, n.said.ClientHost = c.Member.ClientID, c.Member.ClientHost
	n.said.RebalanceMs, n.said.Topics, n.said.Regex = c.Member.RebalanceMs, distinct(sub.Topics), text("")
	n.said.Classic = &schema.ClassicMember{SessionMs: c.Member.SessionMs, Protocols: c.Member.Protocols}
	return &n
}

// classicMember finds the member that a classic request is of.
func (g *group) classicMember(c *kind.ClassicSync) (*member, error) {
	m := g.members[c.MemberID]
	if c.InstanceID != nil {
		if m = g.static(*c.InstanceID); m != nil && m.id != c.MemberID {
			return nil, fencedInstance(c.MemberID, *c.InstanceID, m.id)
		}
	}
	switch {
	case m == nil:
		return nil, wire.Errorf(wire.UnknownMemberID, "Member %s is not a member of group %s.", c.MemberID, g.id)
	case !m.classic():
		return nil, wire.Errorf(wire.UnknownMemberID, "Member %s does not use the classic protocol.", m.id)
	case m.epoch != c.Generation:
		return nil, wire.Errorf(wire.IllegalGeneration, "The request generation id %d is not equal to the member epoch %d of member %s.", c.Generation, m.epoch, m.id)
	}
	return m, nil
}

// SyncClassic implements kind.Mixed: a classic member learns what it has.
func (k *Kind) SyncClassic(t *kind.Turn, c *kind.ClassicSync) (kind.ClassicSynced, error) {
	g := k.Groups[c.Group]
	m, err := g.classicMember(c)
	if err != nil {
		return kind.ClassicSynced{}, err
	}
	protocol := m.protocol()
	switch {
	case c.ProtocolType != nil && *c.ProtocolType != protocolType, c.Protocol != nil && *c.Protocol != protocol:
		return kind.ClassicSynced{}, wire.InconsistentGroupProtocol
	case g.epoch > m.epoch && m.state != unrevoked:
		return kind.ClassicSynced{}, wire.RebalanceInProgress
	}
	t.Cancel(syncKey{c.Group, m.id})
	k.alive(t, c.Group, m)
	return kind.ClassicSynced{Protocol: protocol, Assignment: k.assignment(m, m.assigned)}, nil
}

// HeartbeatClassic implements kind.Mixed. A member that has to join again has
// its rebalance timeout to do so.
func (k *Kind) HeartbeatClassic(t *kind.Turn, c *kind.ClassicSync) error {
	g := k.Groups[c.Group]
	m, err := g.classicMember(c)
	if err != nil {
		return err
	}
	k.alive(t, c.Group, m)
	if m.epoch >= g.epoch && m.state != unrevoked && (m.state != unreleased || g.waits(m)) {
		return nil
	}
	if !g.late[m.id] {
		id := m.id
		t.Timer(joinKey{c.Group, id}, m.rebalance(), joinDue{c.Group, id})
		k.edit(t, g).then(func(g *group) { g.late[id] = true })
	}
	return wire.RebalanceInProgress
}

// waits tells whether others still have something of a member's target.
func (g *group) waits(m *member) bool {
	for _, s := range g.target[m.id] {
		if owner, ok := g.owners[s.place()]; ok && owner != m.id && !m.assigned.has(s) {
			return true
		}
	}
	return false
}

// LeaveClassic implements kind.Mixed: members of either protocol are taken out.
func (k *Kind) LeaveClassic(t *kind.Turn, c *kind.ClassicLeave) []wire.Code {
	g := k.Groups[c.Group]
	codes := make([]wire.Code, len(c.Members))
	var going []*member
	for i := range c.Members {
		m := g.members[c.Members[i].MemberID]
		if instance := c.Members[i].InstanceID; instance != nil {
			if m = g.static(*instance); m != nil && c.Members[i].MemberID != "" && m.id != c.Members[i].MemberID {
				codes[i] = wire.FencedInstanceID
				continue
			}
		}
		if m == nil {
			codes[i] = wire.UnknownMemberID
			continue
		}
		if !contains(going, m.id) {
			going = append(going, m)
		}
	}
	if len(going) > 0 {
		k.edit(t, g).fence(going...)
	}
	return codes
}
