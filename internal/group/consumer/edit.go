package consumer

import (
	"maps"
	"slices"

	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
)

// edit is a change of a group in the making: each record that it writes is
// applied to a clone, so that what comes after it in the turn sees it. The
// clone is made with the first record, so a turn that writes nothing costs
// nothing.
type edit struct {
	k *Kind
	t *kind.Turn
	g *group
	// mine tells that g may be changed: it is a clone, or new.
	mine bool
	// anew tells that the group must be assigned anew whatever changed: it was
	// a classic one, perhaps in the midst of a rebalance.
	anew bool
}

// edit begins a change of a group that is there.
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

// said writes what a member said.
func (e *edit) said(m *member) {
	e.write(schema.ConsumerMember, m.id, schema.AppendConsumerMember(nil, m.said))
}

// current writes what a member has.
func (e *edit) current(m *member) {
	e.write(schema.ConsumerCurrent, m.id, schema.AppendCurrent(nil, m.current()))
}

// aim writes what a member shall have.
func (e *edit) aim(id string, s slots) {
	e.write(schema.ConsumerTargetMember, id, schema.AppendTargetMember(nil, s.parts(false)))
}

// bump raises the epoch of the group, with what its topics are now. A new group
// begins at 2: at 1 are members that wait for the first target.
func (e *edit) bump(hash int64) {
	e.write(schema.ConsumerGroupMetadata, "", schema.AppendConsumerGroup(nil, schema.ConsumerGroupValue{Epoch: max(e.g.epoch+1, 2), Hash: hash}))
}

// remove writes the end of a member. The order matters to Kafka's replay.
func (e *edit) remove(id string) {
	e.write(schema.ConsumerCurrent, id, nil)
	e.write(schema.ConsumerTargetMember, id, nil)
	e.write(schema.ConsumerMember, id, nil)
}

// bury writes the end of the group: members, regular expressions, target, and
// then itself.
func (e *edit) bury() {
	g := e.g
	for _, id := range g.ids {
		e.write(schema.ConsumerCurrent, id, nil)
	}
	for _, id := range slices.Sorted(maps.Keys(g.target)) {
		e.write(schema.ConsumerTargetMember, id, nil)
	}
	e.write(schema.ConsumerTarget, "", nil)
	for _, id := range g.ids {
		e.write(schema.ConsumerMember, id, nil)
	}
	for _, regex := range slices.Sorted(maps.Keys(g.regexes)) {
		e.write(schema.ConsumerRegex, regex, nil)
	}
	e.write(schema.ConsumerPartitionMetadata, "", nil) // a log that came from Kafka may have one
	e.write(schema.ConsumerGroupMetadata, "", nil)
}

// then changes soft state of the group that is there once the turn's records
// are accepted.
func (e *edit) then(change func(*group)) {
	k, id := e.k, e.g.id
	e.t.Then(func() {
		if g := k.Groups[id]; g != nil {
			change(g)
		}
	})
}
