package group

import (
	"encoding/hex"
	"slices"
	"time"

	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Bounds of what the log can hold of a join: texts there have 16 bits.
const maxText = 1<<15 - 1

// join steps a Join. Whoever is new and dynamic gets an id first (KIP-394);
// then joining means to be part of the next generation, and the reply comes
// when that is made.
func (t *turn) join(c *Join) error {
	if c.Group == "" || len(c.Group) > maxText {
		return wire.InvalidGroupID
	}
	session := time.Duration(c.SessionMs) * time.Millisecond
	if session < t.m.s.MinSession || session > t.m.s.MaxSession {
		return wire.InvalidSessionTimeout
	}
	if !c.fits() {
		return wire.InvalidRequest
	}
	if k := t.m.kindOf(c.Group); k != nil {
		if done, err := t.joinKind(k, c); done || err != nil {
			return err
		}
	}
	g := t.m.groups[c.Group]
	if g == nil && c.MemberID != "" {
		return wire.UnknownMemberID
	}
	l := &live{before: Dead, since: t.wall}
	if g != nil {
		l = g.live
	}
	d, before := t.edit(c.Group, l), len(t.out.Records)
	switch {
	case !t.accepts(d, c.MemberID):
		t.remove(d, c.MemberID)
		t.answer(JoinReply{Code: wire.GroupMaxSizeReached})
		t.completeIfJoined(d)
	case !d.supports(c.ProtocolType, c.Protocols):
		t.draft = nil // nothing changed
		t.answer(JoinReply{Code: wire.InconsistentGroupProtocol, MemberID: c.MemberID})
	case c.MemberID == "":
		t.joinNew(d, c)
	case d.isPending(c.MemberID):
		if c.InstanceID != nil {
			return wire.Errorf(wire.UnknownServerError, "static member %q of group %q joins with an id that was given to a dynamic one", *c.InstanceID, c.Group)
		}
		t.add(d, c, c.MemberID)
	default:
		t.rejoin(d, c)
	}
	if (g == nil || g.stored == nil) && len(d.members)+len(d.pending) > 0 && len(t.out.Records) == before {
		t.store(&live{since: t.wall}) // from now on there is a group, even without offsets
	}
	return nil
}

// fits tells whether the log can hold what a member says of itself.
func (c *Join) fits() bool {
	for i := range c.Protocols {
		if len(c.Protocols[i].Name) > maxText {
			return false
		}
	}
	return len(c.ProtocolType) <= maxText && len(c.ClientID) <= maxText-64 &&
		(c.InstanceID == nil || len(*c.InstanceID) <= maxText-64)
}

// accepts tells whether a group of bounded size has a place for a member
// (KIP-389).
func (t *turn) accepts(d *live, id string) bool {
	m := d.members.get(id)
	switch d.state {
	case PreparingRebalance:
		return m != nil && m.join != 0 || d.members.joined() < t.m.s.MaxSize
	case CompletingRebalance, Stable:
		return m != nil || len(d.members) < t.m.s.MaxSize
	}
	return true
}

// joinNew takes in someone without an id.
func (t *turn) joinNew(d *live, c *Join) {
	if c.InstanceID != nil {
		id := memberID(*c.InstanceID, c.NewID)
		if old := d.members.instance(*c.InstanceID); old != nil {
			t.replace(d, c, old.id, id)
			return
		}
		t.add(d, c, id)
		return
	}
	id := memberID(c.ClientID, c.NewID)
	if !c.KnownIDs {
		t.add(d, c, id)
		return
	}
	if len(d.pending) >= maxPending {
		t.draft = nil
		t.answer(JoinReply{Code: wire.GroupMaxSizeReached})
		return
	}
	d.addPending(id)
	t.timer(sessionKey{c.Group, id}, time.Duration(c.SessionMs)*time.Millisecond, sessionDue{c.Group, id})
	t.answer(JoinReply{Code: wire.MemberIDRequired, MemberID: id})
}

// memberID is a name with a random part in the form that Kafka's ids have.
func memberID(name string, id uuid.UUID) string {
	b := append([]byte(name), '-')
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return string(b)
}

// add makes a member of a join and goes on with the rebalance.
func (t *turn) add(d *live, c *Join, id string) {
	m := &member{
		id: id, instanceID: c.InstanceID, clientID: c.ClientID, clientHost: c.ClientHost,
		rebalanceMs: c.RebalanceMs, sessionMs: c.SessionMs, protocols: c.Protocols,
		join: t.token, isNew: true,
	}
	if d.state == PreparingRebalance && d.before == Empty {
		d.lastJoin = t.now
	}
	if len(d.members) == 0 {
		d.protocolType = c.ProtocolType
	}
	if d.leader == "" {
		d.leader = id
	}
	at, _ := d.members.find(id)
	d.members = slices.Insert(d.members, at, m)
	d.dropPending(id)
	t.timer(sessionKey{t.id, id}, newMemberTimeout, sessionDue{t.id, id})
	t.rebalanceOrComplete(d)
}

// rejoin steps the Join of someone who names an id of his.
func (t *turn) rejoin(d *live, c *Join) {
	if code := d.validate(c.MemberID, c.InstanceID); code != wire.None {
		t.answer(JoinReply{Code: code, MemberID: c.MemberID})
		return
	}
	m := d.members.get(c.MemberID)
	switch d.state {
	case PreparingRebalance:
		t.update(d, c)
	case CompletingRebalance:
		if m.matches(c.Protocols) { // the reply was lost: once more
			t.answer(d.joined(m.id))
			return
		}
		t.update(d, c)
	case Stable:
		if d.leader == m.id || !m.matches(c.Protocols) { // a leader may ask for a rebalance
			t.update(d, c)
			return
		}
		r := d.joined(m.id)
		r.Members = nil
		t.answer(r)
	default:
		t.answer(JoinReply{Code: wire.UnknownMemberID, MemberID: c.MemberID})
	}
}

// update takes over what a member says anew and goes on with the rebalance.
func (t *turn) update(d *live, c *Join) {
	t.renew(d.changeByID(c.MemberID), c)
	t.rebalanceOrComplete(d)
}

// renew takes over what a join says. An older join of the same member is told
// to come again: its caller has most likely gone.
func (t *turn) renew(m *member, c *Join) {
	t.reply(m.join, JoinReply{Code: wire.RebalanceInProgress, MemberID: m.id})
	m.protocols, m.rebalanceMs, m.sessionMs, m.join = c.Protocols, c.RebalanceMs, c.SessionMs, t.token
}

// validate tells whether someone is a member, by id and, if static, by name.
func (d *live) validate(id string, instanceID *string) wire.Code {
	if instanceID != nil {
		switch m := d.members.instance(*instanceID); {
		case m == nil:
			return wire.UnknownMemberID
		case m.id != id:
			return wire.FencedInstanceID
		}
	}
	if d.members.get(id) == nil {
		return wire.UnknownMemberID
	}
	return wire.None
}

// joined is the reply to a member that is part of the generation.
func (d *live) joined(id string) JoinReply {
	r := JoinReply{MemberID: id, Generation: d.generation, Protocol: d.protocol, ProtocolType: d.typeOrNil(), Leader: d.leader}
	if id == d.leader && d.protocol != nil {
		for _, m := range d.members {
			r.Members = append(r.Members, JoinedMember{ID: m.id, InstanceID: m.instanceID, Metadata: m.metadata(*d.protocol)})
		}
	}
	return r
}

func (d *live) typeOrNil() *string {
	if d.protocolType == "" {
		return nil
	}
	return &d.protocolType
}

// remove takes someone out of the group, member or not yet.
func (t *turn) remove(d *live, id string) {
	if i, ok := d.members.find(id); ok {
		d.members = slices.Delete(d.members, i, i+1)
		if d.leader == id {
			d.leader = ""
			if len(d.members) > 0 {
				d.leader = d.members[0].id
			}
		}
	}
	d.dropPending(id)
}

func (d *live) dropPending(id string) {
	if i, ok := slices.BinarySearch(d.pending, id); ok {
		d.pending = slices.Delete(slices.Clone(d.pending), i, i+1)
	}
}
