package consumer

import (
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// upgrade turns a classic group into a consumer group for a member that joins
// it (KIP-848): its members become classic members here, each with what it had.
func (k *Kind) upgrade(t *kind.Turn, id string) (*edit, error) {
	from := k.host.Classic(id)
	if from == nil {
		return nil, wire.Errorf(wire.GroupIDNotFound, "Group %s is not a consumer group.", id)
	}
	e := &edit{k: k, t: t, g: newGroup(id), mine: true}
	if len(from.Members) == 0 {
		k.host.EndClassic(t, id)
		return e, nil
	}
	no := func(why string) error {
		return wire.Errorf(wire.GroupIDNotFound, "Cannot upgrade classic group %s to consumer group because %s.", id, why)
	}
	switch {
	case !k.s.Upgrade:
		return nil, no("online upgrade is disabled")
	case from.ProtocolType != protocolType || from.Protocol == nil:
		return nil, no("the group does not use the consumer embedded protocol")
	case len(from.Members) > k.s.MaxSize:
		return nil, no("the group size exceeds the consumer group maximum size")
	}
	var members []*member
	for i := range from.Members {
		m, err := k.adopt(&from.Members[i], *from.Protocol, from.Generation)
		if err != nil {
			return nil, no(err.Error())
		}
		members = append(members, m)
	}
	k.host.EndClassic(t, id)
	e.begin(members, from.Generation)
	e.anew = true
	return e, nil
}

// adopt makes a member of a classic one.
func (k *Kind) adopt(from *kind.ClassicMember, protocol string, generation int32) (*member, error) {
	m := &member{id: from.ID, epoch: generation, previous: generation}
	m.said = schema.ConsumerMemberValue{
		InstanceID: from.InstanceID, ClientID: from.ClientID, ClientHost: from.ClientHost, RebalanceMs: from.RebalanceMs, Regex: text(""),
		Classic: &schema.ClassicMember{SessionMs: from.SessionMs, Protocols: from.Protocols},
	}
	for i := range from.Protocols {
		if from.Protocols[i].Name != protocol {
			continue
		}
		sub, err := schema.ParseWholeSubscription(from.Protocols[i].Metadata)
		if err != nil {
			return nil, malformed
		}
		m.said.Topics, m.said.RackID = distinct(sub.Topics), sub.Rack
	}
	if len(from.Assignment) == 0 {
		return m, nil
	}
	a, err := schema.ParseAssignment(from.Assignment)
	switch {
	case err != nil:
		return nil, malformed
	case len(a.UserData) > 0:
		return nil, unsupported
	}
	m.assigned = k.byID(a.Parts)
	for i := range m.assigned {
		m.assigned[i].epoch = generation
	}
	return m, nil
}

// Why a classic group stays one.
const (
	malformed   = cannot("the embedded consumer protocol is malformed")
	unsupported = cannot("an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor before re-attempting the upgrade")
)

type cannot string

// Error is why the group can not change its protocol.
func (c cannot) Error() string { return string(c) }

// byID turns partitions that are told by the names of topics into slots.
func (k *Kind) byID(parts []schema.NamedPartitions) slots {
	img := k.s.Image()
	var list []schema.TopicPartitions
	for i := range parts {
		if t := img.TopicByName(parts[i].Topic); t != nil {
			list = append(list, schema.TopicPartitions{Topic: t.ID, Partitions: parts[i].Partitions})
		}
	}
	return slotsOf(list)
}

// byName is the way back; topics that are gone are left out.
func (k *Kind) byName(s slots) []schema.NamedPartitions {
	var out []schema.NamedPartitions
	for _, a := range k.named(s) {
		out = append(out, schema.NamedPartitions{Topic: a.Topic, Partitions: a.Partitions})
	}
	return out
}

// begin writes a group that begins with members, in the order that Kafka
// writes it.
func (e *edit) begin(members []*member, epoch int32) {
	for _, m := range members {
		e.said(m)
	}
	e.write(schema.ConsumerGroupMetadata, "", schema.AppendConsumerGroup(nil, schema.ConsumerGroupValue{Epoch: epoch, Hash: e.hash()}))
	for _, m := range members {
		e.aim(m.id, m.assigned)
	}
	e.write(schema.ConsumerTarget, "", schema.AppendTarget(nil, schema.TargetValue{Epoch: epoch, AtMs: e.t.Wall.UnixMilli()}))
	for _, m := range members {
		e.current(m)
		e.k.alive(e.t, e.g.id, m)
	}
}

// mayDowngrade tells whether the group may become a classic one when some
// members go: only classic ones are left then.
func (e *edit) mayDowngrade(going ...*member) bool {
	classics := e.g.classics
	for _, m := range going {
		if m.classic() {
			classics--
		}
	}
	left := len(e.g.members) - len(going)
	return left > 0 && classics == left && e.k.s.Downgrade && left <= e.k.s.ClassicSize
}

// downgrade turns the group into a classic one without some of its members. It
// rebalances at once unless nothing but the protocol changed.
func (e *edit) downgrade(rebalance bool, going ...*member) {
	to := &kind.ClassicGroup{Generation: e.g.epoch, ProtocolType: protocolType}
	for _, id := range e.g.ids {
		if m := e.g.members[id]; !contains(going, id) {
			to.Members = append(to.Members, e.classic(m))
		}
	}
	protocol := e.commonProtocol(to)
	to.Protocol = &protocol
	ids := e.g.ids
	e.bury()
	for _, id := range ids {
		e.forget(id)
	}
	e.k.host.BeginClassic(e.t, e.g.id, to, rebalance)
}

func contains(list []*member, id string) bool {
	for _, m := range list {
		if m.id == id {
			return true
		}
	}
	return false
}

// classic is a member as a classic group knows it.
func (e *edit) classic(m *member) kind.ClassicMember {
	return kind.ClassicMember{
		ID: m.id, InstanceID: m.said.InstanceID, ClientID: m.said.ClientID, ClientHost: m.said.ClientHost,
		RebalanceMs: m.said.RebalanceMs, SessionMs: m.said.Classic.SessionMs, Protocols: m.said.Classic.Protocols,
		Assignment: e.k.assignment(m, e.g.target[m.id]),
	}
}

// assignment is what a classic member has, in the bytes that it understands.
func (k *Kind) assignment(m *member, s slots) []byte {
	version := int16(0)
	if list := m.said.Classic.Protocols; len(list) > 0 {
		if sub, err := schema.ParseWholeSubscription(list[0].Metadata); err == nil {
			version = sub.Version
		}
	}
	return schema.AppendAssignment(nil, version, k.byName(s))
}

// commonProtocol is a way of assigning that all members know: the one that the
// first member likes best of them.
func (e *edit) commonProtocol(g *kind.ClassicGroup) string {
	counts := map[string]int{}
	for i := range g.Members {
		for j := range g.Members[i].Protocols {
			counts[g.Members[i].Protocols[j].Name]++
		}
	}
	for j := range g.Members[0].Protocols {
		if name := g.Members[0].Protocols[j].Name; counts[name] == len(g.Members) {
			return name
		}
	}
	return ""
}
