package group

import (
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// deleteOffsets steps a DeleteOffsets. A topic that a member reads keeps its
// offsets.
func (t *turn) deleteOffsets(c *DeleteOffsets) error {
	if c.Group == "" {
		return wire.InvalidGroupID
	}
	g, k := t.m.groups[c.Group], t.m.kindOf(c.Group)
	if g == nil && k == nil {
		return wire.GroupIDNotFound
	}
	if g == nil {
		g = &group{live: &live{}}
	}
	if k == nil && g.live.state != Empty && !g.live.consumers() {
		return wire.NonEmptyGroup
	}
	r := DeleteOffsetsReply{Codes: make([][]wire.Code, len(c.Topics))}
	for i := range c.Topics {
		topic := &c.Topics[i]
		for _, p := range topic.Partitions {
			if t.reads(k, c.Group, topic.Name) {
				r.Codes[i] = append(r.Codes[i], wire.GroupSubscribedToTopic)
				continue
			}
			r.Codes[i] = append(r.Codes[i], wire.None)
			if _, ok := g.offsets.get(topic.Name, p); ok || t.m.unstable(c.Group, topic.Name, p) {
				t.write(schema.AppendOffsetKey(nil, c.Group, topic.Name, p), nil)
			}
		}
	}
	t.answer(r)
	return nil
}

// delete steps a Delete. Where a group has many offsets they go a part at a
// time, the group last, and only then the caller hears of it.
func (t *turn) delete(c *Delete) {
	if c.caller == 0 {
		c.caller = t.token
	}
	g, k := t.m.groups[c.Group], t.m.kindOf(c.Group)
	switch {
	case g == nil && k == nil:
		t.refuse(c.caller, wire.GroupIDNotFound)
		return
	case k != nil && k.Show(c.Group).Members > 0, k == nil && g.live.state != Empty:
		t.refuse(c.caller, wire.NonEmptyGroup)
		return
	}
	if g != nil {
		t.bury(c.Group, g)
	}
	if t.full() {
		t.timer(buryKey{c.Group}, 0, Delete{Group: c.Group, caller: c.caller})
		return
	}
	if k != nil {
		k.Bury(t.kind(), c.Group)
	} else {
		t.write(schema.AppendGroupKey(nil, c.Group), nil)
	}
	t.reply(c.caller, nil)
}

// bury writes the end of a group's offsets.
func (t *turn) bury(id string, g *group) {
	t.buryOffsets(id, g.offsets, nil)
	for _, producer := range sorted(t.m.open) {
		t.buryOffsets(id, t.m.open[producer].groups[id], g.offsets)
	}
}

func (t *turn) buryOffsets(id string, in, but offsets) {
	for _, topic := range sorted(in) {
		for _, p := range sorted(in[topic]) {
			if _, done := but.get(topic, p); done {
				continue
			}
			if t.full() {
				return
			}
			t.write(schema.AppendOffsetKey(nil, id, topic, p), nil)
		}
	}
}
