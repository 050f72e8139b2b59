package sharegroup

import (
	"maps"
	"slices"

	"ottla/internal/group/schema"
)

// group is a share group, all of it durable.
type group struct {
	id          string
	epoch       int32
	hash        int64 // of its topics, when the epoch last rose
	targetEpoch int32
	targetAt    int64
	members     map[string]*member
	target      map[string][]schema.TopicPartitions
	states      schema.ShareStateValue
	stale       bool // soft: its topics may have changed
}

// member is a member. It is not changed, but replaced.
type member struct {
	id       string
	said     schema.ShareMemberValue
	epoch    int32
	previous int32
	assigned []schema.TopicPartitions
}

func newGroup(id string) *group {
	return &group{id: id, members: map[string]*member{}, target: map[string][]schema.TopicPartitions{}}
}

func (g *group) clone() *group {
	c := *g
	c.members, c.target = maps.Clone(g.members), maps.Clone(g.target)
	return &c
}

// ids are the members, sorted.
func (g *group) ids() []string { return slices.Sorted(maps.Keys(g.members)) }

// topics are what the members read, sorted.
func (g *group) topics() []string {
	var out []string
	for _, m := range g.members {
		out = append(out, m.said.Topics...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (g *group) reads(topic string) bool {
	for _, m := range g.members {
		if slices.Contains(m.said.Topics, topic) {
			return true
		}
	}
	return false
}

// state is the group's, by Kafka's name.
func (g *group) state() string {
	if len(g.members) == 0 {
		return "Empty"
	}
	return "Stable"
}

// Apply takes over a record; what cannot be read is passed over.
func (g *group) Apply(key schema.Key, value []byte) {
	switch key.Type {
	case schema.ShareGroupMetadata:
		if v, err := schema.ParseShareGroup(value); err == nil {
			g.epoch, g.hash = v.Epoch, v.Hash
		}
	case schema.ShareTarget:
		if v, err := schema.ParseTarget(value); err == nil {
			g.targetEpoch, g.targetAt = v.Epoch, v.AtMs
		}
	case schema.ShareState:
		if value == nil {
			g.states = schema.ShareStateValue{}
		} else if v, err := schema.ParseShareState(value); err == nil {
			g.states = v
		}
	default:
		g.applyMember(key, value)
	}
}

func (g *group) applyMember(key schema.Key, value []byte) {
	switch key.Type {
	case schema.ShareMember:
		if value == nil {
			delete(g.members, key.Member)
		} else if v, err := schema.ParseShareMember(value); err == nil {
			m := g.copyOf(key.Member)
			m.said = v
			g.members[m.id] = m
		}
	case schema.ShareTargetMember:
		if value == nil {
			delete(g.target, key.Member)
		} else if v, err := schema.ParseTargetMember(value); err == nil {
			g.target[key.Member] = v
		}
	case schema.ShareCurrent:
		if g.members[key.Member] == nil || value == nil {
			return
		}
		if v, err := schema.ParseShareCurrent(value); err == nil {
			m := g.copyOf(key.Member)
			m.epoch, m.previous, m.assigned = v.Epoch, v.Previous, v.Assigned
			g.members[m.id] = m
		}
	}
}

// copyOf gives a member that may be changed.
func (g *group) copyOf(id string) *member {
	if m := g.members[id]; m != nil {
		c := *m
		return &c
	}
	return &member{id: id, previous: -1}
}
