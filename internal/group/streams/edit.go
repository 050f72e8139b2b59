package streams

import (
	"maps"
	"slices"

	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
)

// edit is a change of a group in the making: each record that it writes is
// applied to a clone, so that what comes after it in the turn sees it.
type edit struct {
	k *Kind
	t *kind.Turn
	g *group
	// mine tells that g may be changed: it is a clone, or new.
	mine bool
	plan *plan // of this turn, once it was looked at
}

func (k *Kind) edit(t *kind.Turn, g *group) *edit { return &edit{k: k, t: t, g: g} }

// write adds a record and applies it; a nil value is a tombstone.
func (e *edit) write(recordType int16, member string, value []byte) {
	key := schema.Key{Type: recordType, Group: e.g.id, Member: member}
	e.t.Write(key, value)
	if !e.mine {
		e.g, e.mine = e.g.clone(), true
	}
	e.g.Apply(key, value)
}

func (e *edit) said(m *member) {
	e.write(schema.StreamsMember, m.id, schema.AppendStreamsMember(nil, m.said))
}

func (e *edit) current(m *member) {
	e.write(schema.StreamsCurrent, m.id, schema.AppendStreamsCurrent(nil, m.current()))
}

func (e *edit) aim(id string, r roleTasks) {
	e.write(schema.StreamsTargetMember, id, schema.AppendStreamsTarget(nil, r.value(false)))
}

func (e *edit) targetAt(epoch int32, ms int64) {
	e.write(schema.StreamsTarget, "", schema.AppendTarget(nil, schema.TargetValue{Epoch: epoch, AtMs: ms}))
}

// bump raises the epoch of the group. A new group begins at 2: at 1 are members
// that wait for the first target.
func (e *edit) bump(v schema.StreamsGroupValue) {
	v.Epoch = max(e.g.meta.Epoch+1, 2)
	e.write(schema.StreamsGroupMetadata, "", schema.AppendStreamsGroup(nil, v))
}

// remove writes the end of a member. The order matters to Kafka's replay.
func (e *edit) remove(id string) {
	e.write(schema.StreamsCurrent, id, nil)
	e.write(schema.StreamsTargetMember, id, nil)
	e.write(schema.StreamsMember, id, nil)
}

// bury writes the end of the group: members, target, topology, itself.
func (e *edit) bury() {
	g := e.g
	for _, id := range slices.Clone(g.ids) {
		e.write(schema.StreamsCurrent, id, nil)
	}
	for _, id := range slices.Sorted(maps.Keys(g.target)) {
		e.write(schema.StreamsTargetMember, id, nil)
	}
	e.write(schema.StreamsTarget, "", nil)
	for _, id := range slices.Clone(g.ids) {
		e.write(schema.StreamsMember, id, nil)
	}
	e.write(schema.StreamsGroupMetadata, "", nil)
	e.write(schema.StreamsTopology, "", nil)
}

// then changes soft state of the group that is there once the turn's records
// are accepted.
func (e *edit) then(change func(*soft)) {
	k, id := e.k, e.g.id
	e.t.Then(func() {
		if g := k.Groups[id]; g != nil {
			change(g.soft)
		}
	})
}
