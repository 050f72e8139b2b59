package streams

import (
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// describe steps a Describe.
func (k *Kind) describe(t *kind.Turn, c *Describe) error {
	g := k.Groups[c.Group]
	switch {
	case g != nil:
	case k.host.TypeOf(c.Group) == kind.None:
		return wire.Errorf(wire.GroupIDNotFound, "Group %s not found.", c.Group)
	default:
		return notStreams(c.Group)
	}
	d := Described{State: g.state(), Epoch: g.meta.Epoch, AssignmentEpoch: g.targetEpoch}
	if g.topology != nil {
		p := look(g.topology, k.s.Image())
		d.Topology = &schema.StreamsTopologyValue{Epoch: g.topology.Epoch, Subtopologies: p.subs}
		d.Ready = p.ready()
		if p.subs == nil { // not worked out: as the application has it
			d.Topology = g.topology
		}
	}
	for _, id := range g.ids {
		m, far := g.members[id], g.soft.offsets[id]
		d.Members = append(d.Members, DescribedMember{
			ID: id, Epoch: m.epoch, Said: m.said, Offsets: far.offsets, Ends: far.ends,
			Assigned: m.assigned.with(m.revoking).value(false), Target: g.target[id].value(false),
		})
	}
	t.Answer(d)
	return nil
}
