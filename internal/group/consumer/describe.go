package consumer

import (
	"ottla/internal/group/kind"
	"ottla/internal/wire"
)

// describe steps a Describe.
func (k *Kind) describe(t *kind.Turn, c *Describe) error {
	g := k.Groups[c.Group]
	if g == nil {
		if k.host.TypeOf(c.Group) == kind.None {
			return wire.Errorf(wire.GroupIDNotFound, "Group %s not found.", c.Group)
		}
		return wire.Errorf(wire.GroupIDNotFound, "Group %s is not a consumer group.", c.Group)
	}
	d := Described{
		State: g.state(), Epoch: g.epoch, AssignmentEpoch: g.targetEpoch,
		Assignor: g.assignor(k.s.Assignors), Interval: k.interval(c.Group),
	}
	for _, id := range g.ids {
		m := g.members[id]
		row := DescribedMember{
			ID: id, InstanceID: m.said.InstanceID, RackID: m.said.RackID, Epoch: m.epoch,
			ClientID: m.said.ClientID, ClientHost: m.said.ClientHost, Topics: m.said.Topics, Regex: m.said.Regex,
			Assigned: k.named(m.assigned.with(m.revoking)), Target: k.named(g.target[id]), Classic: m.classic(),
		}
		d.Members = append(d.Members, row)
	}
	t.Answer(d)
	return nil
}

// named lists slots of topics that are there, by their names.
func (k *Kind) named(s slots) []Assigned {
	img := k.s.Image()
	var out []Assigned
	for _, p := range s.parts(false) {
		if topic := img.TopicByID(p.Topic); topic != nil {
			out = append(out, Assigned{Topic: topic.Name, ID: p.Topic, Partitions: p.Partitions})
		}
	}
	return out
}
