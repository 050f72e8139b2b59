package group

import (
	"slices"
	"strings"

	"ottla/internal/group/kind"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// fetch reads committed offsets. A group that is not there has none.
func (m *Machine) fetch(c *Fetch) (FetchReply, error) {
	if err := m.mayFetch(c); err != nil {
		return FetchReply{}, err
	}
	g := m.groups[c.Group]
	asked := c.Topics
	if c.All {
		asked = nil
		if g != nil {
			for _, topic := range sorted(g.offsets) {
				asked = append(asked, FetchTopic{Name: topic, Partitions: sorted(g.offsets[topic])})
			}
		}
	}
	r := FetchReply{Topics: make([]FetchedTopic, 0, len(asked))}
	for i := range asked {
		topic := FetchedTopic{Name: asked[i].Name, Partitions: make([]FetchedPartition, 0, len(asked[i].Partitions))}
		for _, p := range asked[i].Partitions {
			topic.Partitions = append(topic.Partitions, m.fetchOne(g, c, &asked[i], p))
		}
		r.Topics = append(r.Topics, topic)
	}
	return r, nil
}

// fetch steps a Fetch.
func (t *turn) fetch(c *Fetch) error {
	r, err := t.m.fetch(c)
	if err == nil {
		t.answer(r)
	}
	return err
}

func (m *Machine) fetchOne(g *group, c *Fetch, topic *FetchTopic, p int32) FetchedPartition {
	none := FetchedPartition{Index: p, Offset: -1, LeaderEpoch: -1}
	if g == nil {
		return none
	}
	if c.RequireStable && m.unstable(c.Group, topic.Name, p) {
		none.Code = wire.UnstableOffsetCommit
		return none
	}
	v, ok := g.offsets.get(topic.Name, p)
	if !ok || foreign(v.TopicID, topic.ID) {
		return none
	}
	return FetchedPartition{Index: p, Offset: v.Offset, LeaderEpoch: v.LeaderEpoch, Metadata: v.Metadata, TopicID: v.TopicID}
}

// foreign tells whether an offset was committed for another topic of the name.
func foreign(committed, now uuid.UUID) bool {
	return !committed.IsZero() && !now.IsZero() && committed != now
}

// describe steps a Describe.
func (t *turn) describe(c *Describe) error {
	if t.m.kindOf(c.Group) != nil {
		return wire.Errorf(wire.GroupIDNotFound, "Group %s is not a classic group.", c.Group)
	}
	g := t.m.groups[c.Group]
	if g == nil {
		return wire.Errorf(wire.GroupIDNotFound, "Group %s not found.", c.Group)
	}
	l := g.live
	r := Described{State: l.state, ProtocolType: l.protocolType}
	stable := l.state == Stable && l.protocol != nil
	if stable {
		r.Protocol = *l.protocol
	}
	for _, m := range l.members {
		row := DescribedMember{ID: m.id, InstanceID: m.instanceID, ClientID: m.clientID, ClientHost: m.clientHost, Assignment: m.assignment}
		if stable {
			row.Metadata = m.metadata(*l.protocol)
		}
		r.Members = append(r.Members, row)
	}
	t.answer(r)
	return nil
}

// list shows the groups that pass the filters.
func (m *Machine) list(c *List) []Listed {
	pass := func(filter []string, name string) bool {
		return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool { return strings.EqualFold(strings.TrimSpace(f), name) })
	}
	var out []Listed
	for _, id := range m.ids() {
		if row := m.listed(id); pass(c.Types, string(row.Type)) && pass(c.States, row.State) {
			out = append(out, row)
		}
	}
	return out
}

// listed shows a group, of whatever kind.
func (m *Machine) listed(id string) Listed {
	if k := m.kindOf(id); k != nil {
		s := k.Show(id)
		return Listed{ID: id, ProtocolType: s.ProtocolType, Type: k.Type(), State: s.State, Members: s.Members}
	}
	l := m.groups[id].live
	return Listed{ID: id, ProtocolType: l.protocolType, Type: kind.Classic, State: l.state.String(), Members: len(l.members)}
}
