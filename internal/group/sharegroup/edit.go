package sharegroup

import (
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
)

// edit is a change of a group in the making: each record that it writes is
// applied to a clone, so that what comes after it in the turn sees it.
type edit struct {
	k    *Kind
	t    *kind.Turn
	g    *group
	mine bool // g is a clone, or new
}

func (k *Kind) edit(t *kind.Turn, g *group) *edit { return &edit{k: k, t: t, g: g} }

// write adds a record and applies it; a nil value is a tombstone.
func (e *edit) write(recordType int16, member string, value []byte) {
	key := schema.Key{Type: recordType, Group: e.g.id, Member: member}
	e.t.Write(key, value)
	if !e.mine {
		e.g, e.mine = e.g.clone(), true
	}
	if recordType != schema.ShareGroupMetadata || value != nil {
		e.g.Apply(key, value)
	}
}

// bump raises the group's epoch, with what its topics are now.
func (e *edit) bump(hash int64) {
	e.write(schema.ShareGroupMetadata, "", schema.AppendShareGroup(nil, schema.ShareGroupValue{Epoch: e.g.epoch + 1, Hash: hash}))
}

// remove writes the end of a member.
func (e *edit) remove(id string) {
	e.write(schema.ShareCurrent, id, nil)
	e.write(schema.ShareTargetMember, id, nil)
	e.write(schema.ShareMember, id, nil)
	e.t.Cancel(sessionKey{e.g.id, id})
}

// then changes soft state of the group as it is once the records are applied.
func (e *edit) then(change func(*group)) {
	k, id := e.k, e.g.id
	e.t.Then(func() {
		if g := k.Groups[id]; g != nil {
			change(g)
		}
	})
}
