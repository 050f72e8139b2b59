package group

import (
	"slices"
	"strings"

	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// ownerOf finds the kind that owns records of a type, nil for ours and for
// those that nobody knows.
func (m *Machine) ownerOf(recordType int16) kind.Kind {
	for _, k := range m.kinds {
		if k.Owns(recordType) {
			return k
		}
	}
	return nil
}

// kindOf finds the kind that a group is of, nil for a classic one and for none.
func (m *Machine) kindOf(id string) kind.Kind {
	for _, k := range m.kinds {
		if k.Has(id) {
			return k
		}
	}
	return nil
}

// stepKinds steps a command that is not one of the machine's own.
func (t *turn) stepKinds(cmd any) error {
	for _, k := range t.m.kinds {
		if ok, err := k.Step(t.kind(), cmd); ok || err != nil {
			return err
		}
	}
	return wire.Errorf(wire.UnknownServerError, "the group coordinator knows no command %T", cmd)
}

// topicsChanged steps a TopicsChanged.
func (t *turn) topicsChanged(c *TopicsChanged) {
	for _, k := range t.m.kinds {
		k.TopicsChanged(t.kind(), c.Names)
	}
	t.answer(nil)
}

// reads tells whether a member of the group reads a topic; k is its kind, nil
// for a classic one.
func (t *turn) reads(k kind.Kind, id, topic string) bool {
	if k != nil {
		return k.Subscribed(id, topic)
	}
	g := t.m.groups[id]
	return g != nil && g.live.isSubscribed(topic)
}

// mayCommitTo judges a commit to a group of a kind.
func mayCommitTo(k kind.Kind, c *Commit) wire.Code {
	judge, ok := k.(kind.Committer)
	switch {
	case ok:
	case c.TellsNotFound:
		return wire.GroupIDNotFound
	default:
		return wire.IllegalGeneration
	}
	judged := kind.Commit{
		Group: c.Group, MemberID: c.MemberID, InstanceID: c.InstanceID, Epoch: c.Generation,
		Txn: c.Txn != nil, Version: c.Version,
	}
	for i := range c.Topics {
		parts := schema.TopicPartitions{Topic: c.Topics[i].ID}
		for j := range c.Topics[i].Partitions {
			parts.Partitions = append(parts.Partitions, c.Topics[i].Partitions[j].Index)
		}
		judged.Parts = append(judged.Parts, parts)
	}
	return wire.CodeOf(judge.MayCommit(&judged))
}

// mayFetch judges who reads a group's offsets.
func (m *Machine) mayFetch(c *Fetch) error {
	k := m.kindOf(c.Group)
	if k == nil {
		return nil
	}
	if judge, ok := k.(kind.Committer); ok {
		return judge.MayFetch(c.Group, c.MemberID, c.Epoch)
	}
	return wire.GroupIDNotFound
}

// joinKind steps a Join to a group of a kind; not done means that the group
// goes on as a classic one.
func (t *turn) joinKind(k kind.Kind, c *Join) (done bool, err error) {
	if k.Show(c.Group).Members == 0 && k.Type() != kind.Share {
		if c.MemberID != "" {
			return true, wire.UnknownMemberID
		}
		k.Bury(t.kind(), c.Group)
		return false, nil
	}
	mixed, ok := k.(kind.Mixed)
	if !ok {
		t.answer(JoinReply{Code: wire.InconsistentGroupProtocol})
		return true, nil
	}
	join := &kind.ClassicJoin{
		Group: c.Group, ProtocolType: c.ProtocolType, NewID: c.NewID.String(), KnownIDs: c.KnownIDs,
		Member: kind.ClassicMember{
			ID: c.MemberID, InstanceID: c.InstanceID, ClientID: c.ClientID, ClientHost: c.ClientHost,
			RebalanceMs: c.RebalanceMs, SessionMs: c.SessionMs,
		},
	}
	for i := range c.Protocols {
		join.Member.Protocols = append(join.Member.Protocols, schema.ClassicProtocol(c.Protocols[i]))
	}
	r, err := mixed.JoinClassic(t.kind(), join)
	if err != nil {
		return true, err
	}
	reply := JoinReply{Code: r.Code, MemberID: r.MemberID}
	if r.Code == wire.None {
		protocolType := consumerType
		reply.Generation, reply.ProtocolType, reply.Protocol = r.Epoch, &protocolType, &r.Protocol
	}
	t.answer(reply)
	return true, nil
}

// syncKind steps a Sync to a group of a kind.
func (t *turn) syncKind(k kind.Kind, c *Sync) error {
	mixed, ok := k.(kind.Mixed)
	if !ok {
		return wire.UnknownMemberID
	}
	r, err := mixed.SyncClassic(t.kind(), &kind.ClassicSync{
		Group: c.Group, MemberID: c.MemberID, InstanceID: c.InstanceID, Generation: c.Generation,
		ProtocolType: c.ProtocolType, Protocol: c.Protocol,
	})
	if err != nil {
		return err
	}
	protocolType := consumerType
	t.answer(SyncReply{ProtocolType: &protocolType, Protocol: &r.Protocol, Assignment: r.Assignment})
	return nil
}

// heartbeatKind steps a Heartbeat to a group of a kind. A refusal is a reply:
// it may set a timer.
func (t *turn) heartbeatKind(k kind.Kind, c *Heartbeat) error {
	mixed, ok := k.(kind.Mixed)
	if !ok {
		return wire.UnknownMemberID
	}
	beat := &kind.ClassicSync{Group: c.Group, MemberID: c.MemberID, InstanceID: c.InstanceID, Generation: c.Generation}
	if err := mixed.HeartbeatClassic(t.kind(), beat); err != nil {
		t.refuse(t.token, err)
		return nil
	}
	t.answer(nil)
	return nil
}

// leaveKind steps a Leave to a group of a kind.
func (t *turn) leaveKind(k kind.Kind, c *Leave) error {
	mixed, ok := k.(kind.Mixed)
	if !ok {
		return wire.UnknownMemberID
	}
	leave := &kind.ClassicLeave{Group: c.Group}
	for i := range c.Members {
		leave.Members = append(leave.Members, kind.ClassicLeaver(c.Members[i]))
	}
	t.answer(LeaveReply{Codes: mixed.LeaveClassic(t.kind(), leave)})
	return nil
}

// host is the machine as its kinds see it.
type host struct{ m *Machine }

// TypeOf implements kind.Host.
func (h host) TypeOf(id string) kind.Type {
	if k := h.m.kindOf(id); k != nil {
		return k.Type()
	}
	if h.m.groups[id] != nil {
		return kind.Classic
	}
	return kind.None
}

// Classic implements kind.Host.
func (h host) Classic(id string) *kind.ClassicGroup {
	g := h.m.groups[id]
	if g == nil || h.m.kindOf(id) != nil {
		return nil
	}
	l := g.live
	out := &kind.ClassicGroup{Generation: l.generation, ProtocolType: l.protocolType, Protocol: l.protocol, Leader: l.leader}
	for _, m := range l.members {
		row := kind.ClassicMember{
			ID: m.id, InstanceID: m.instanceID, ClientID: m.clientID, ClientHost: m.clientHost,
			RebalanceMs: m.rebalanceMs, SessionMs: m.sessionMs, Assignment: m.assignment,
		}
		for i := range m.protocols {
			row.Protocols = append(row.Protocols, schema.ClassicProtocol(m.protocols[i]))
		}
		out.Members = append(out.Members, row)
	}
	return out
}

// EndClassic implements kind.Host.
func (h host) EndClassic(kt *kind.Turn, id string) {
	g := h.m.groups[id]
	if g == nil {
		return
	}
	t := h.turn(kt)
	for _, m := range g.live.members {
		t.reply(m.join, JoinReply{Code: wire.RebalanceInProgress, MemberID: m.id})
		t.reply(m.sync, SyncReply{Code: wire.RebalanceInProgress})
		t.cancel(sessionKey{id, m.id})
	}
	for _, pending := range g.live.pending {
		t.cancel(sessionKey{id, pending})
	}
	t.cancel(joinKey{id})
	t.cancel(syncKey{id})
	t.write(schema.AppendGroupKey(nil, id), nil)
}

// BeginClassic implements kind.Host.
func (h host) BeginClassic(kt *kind.Turn, id string, from *kind.ClassicGroup, rebalance bool) {
	t := h.turn(kt)
	d := &live{
		state: Stable, before: Dead, since: t.wall, generation: from.Generation,
		protocolType: from.ProtocolType, protocol: from.Protocol, leader: from.Leader,
	}
	for i := range from.Members {
		row := &from.Members[i]
		m := &member{
			id: row.ID, instanceID: row.InstanceID, clientID: row.ClientID, clientHost: row.ClientHost,
			rebalanceMs: row.RebalanceMs, sessionMs: row.SessionMs, assignment: row.Assignment,
		}
		for j := range row.Protocols {
			m.protocols = append(m.protocols, Protocol(row.Protocols[j]))
		}
		d.members = append(d.members, m)
		t.alive(id, m)
	}
	slices.SortFunc(d.members, func(a, b *member) int { return strings.Compare(a.id, b.id) })
	if d.members.get(d.leader) == nil {
		d.leader = d.members[0].id
	}
	d.learnTopics()
	t.id, t.draft = id, d
	t.store(d)
	if rebalance {
		t.prepare(d)
	}
	t.install()
}

// turn is a turn of ours that writes into one of a kind's.
func (h host) turn(kt *kind.Turn) *turn {
	return &turn{m: h.m, now: kt.Now, wall: kt.Wall, token: kt.Token, out: kt.Out}
}
