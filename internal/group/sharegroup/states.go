package sharegroup

import (
	"slices"
	"strings"

	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// noteStates notes the topics that the group reads: whoever is given a
// partition of them makes its state when it first looks.
func (e *edit) noteStates() {
	img := e.k.s.Image()
	var now []schema.ShareTopic
	for _, name := range e.g.topics() {
		if t := img.TopicByName(name); t != nil {
			now = append(now, schema.ShareTopic{ID: t.ID, Name: name, Partitions: upTo(len(t.Partitions))})
		}
	}
	e.addStates(now)
}

func upTo(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// addStates adds topics to those that the group has states of.
func (e *edit) addStates(topics []schema.ShareTopic) {
	all := slices.Clone(e.g.states.Initialized)
	changed := false
	for _, t := range topics {
		i := slices.IndexFunc(all, func(o schema.ShareTopic) bool { return o.ID == t.ID })
		if i < 0 {
			all, changed = append(all, t), true
			continue
		}
		parts := slices.Concat(all[i].Partitions, t.Partitions)
		slices.Sort(parts)
		if parts = slices.Compact(parts); !slices.Equal(parts, all[i].Partitions) {
			all[i].Partitions, changed = parts, true
		}
	}
	if changed {
		slices.SortFunc(all, func(a, b schema.ShareTopic) int { return strings.Compare(a.Name, b.Name) })
		v := e.g.states
		v.Initialized = all
		e.write(schema.ShareState, "", schema.AppendShareState(nil, v))
	}
}

// known gives a share group, or tells why not.
func (k *Kind) known(id string, idle bool) (*group, error) {
	g := k.Groups[id]
	switch {
	case g == nil && k.host.TypeOf(id) != kind.None:
		return nil, wire.Errorf(wire.GroupIDNotFound, "Group %s is not a share group.", id)
	case g == nil:
		return nil, wire.Errorf(wire.GroupIDNotFound, "Group %s not found.", id)
	case idle && len(g.members) > 0:
		return nil, wire.Errorf(wire.NonEmptyGroup, "The group %s has members.", id)
	}
	return g, nil
}

// tellStates steps a States.
func (k *Kind) tellStates(t *kind.Turn, c *States) error {
	g, err := k.known(c.Group, c.Idle)
	if err == nil {
		t.Answer(slices.Clone(g.states.Initialized))
	}
	return err
}

// addStates steps an AddStates.
func (k *Kind) addStates(t *kind.Turn, c *AddStates) error {
	g, err := k.known(c.Group, true)
	if err != nil {
		if k.host.TypeOf(c.Group) != kind.None || wire.CodeOf(err) != wire.GroupIDNotFound {
			return err
		}
		g = newGroup(c.Group)
	}
	e := k.edit(t, g)
	if g.epoch == 0 {
		e.bump(0)
	}
	e.addStates(c.Topics)
	t.Answer(nil)
	return nil
}

// dropStates steps a DropStates.
func (k *Kind) dropStates(t *kind.Turn, c *DropStates) error {
	g, err := k.known(c.Group, true)
	if err != nil {
		return err
	}
	v := g.states
	v.Initialized = slices.DeleteFunc(slices.Clone(v.Initialized), func(o schema.ShareTopic) bool {
		return slices.ContainsFunc(c.IDs, func(id uuid.UUID) bool { return id == o.ID })
	})
	if len(v.Initialized) != len(g.states.Initialized) {
		k.edit(t, g).write(schema.ShareState, "", schema.AppendShareState(nil, v))
	}
	t.Answer(nil)
	return nil
}
