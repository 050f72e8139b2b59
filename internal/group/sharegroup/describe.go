package sharegroup

import (
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
)

// describe steps a Describe.
func (k *Kind) describe(t *kind.Turn, c *Describe) error {
	g, err := k.known(c.Group, false)
	if err != nil {
		return err
	}
	d := Described{State: g.state(), Epoch: g.epoch, AssignmentEpoch: g.targetEpoch, Assignor: assignor, Interval: k.interval(c.Group)}
	for _, id := range g.ids() {
		m := g.members[id]
		d.Members = append(d.Members, DescribedMember{
			ID: id, RackID: m.said.RackID, Epoch: m.epoch, ClientID: m.said.ClientID, ClientHost: m.said.ClientHost,
			Topics: m.said.Topics, Assigned: k.named(m.assigned),
		})
	}
	t.Answer(d)
	return nil
}

// named lists partitions of topics that are there, by their names.
func (k *Kind) named(parts []schema.TopicPartitions) []Assigned {
	img := k.s.Image()
	var out []Assigned
	for _, p := range parts {
		if topic := img.TopicByID(p.Topic); topic != nil {
			out = append(out, Assigned{Topic: topic.Name, ID: p.Topic, Partitions: p.Partitions})
		}
	}
	return out
}
