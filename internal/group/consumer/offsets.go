package consumer

import (
	"ottla/internal/group/kind"
	"ottla/internal/wire"
)

// MayCommit implements kind.Committer. A member commits at its epoch; at an
// older one it may commit partitions that it has had since then (KIP-1251), so
// that an epoch that rises under way costs no commit. Outside of the group one
// may commit while it has no members.
func (k *Kind) MayCommit(c *kind.Commit) error {
	g := k.Groups[c.Group]
	switch {
	case g == nil:
		return wire.GroupIDNotFound
	case c.Epoch < 0 && len(g.members) == 0:
		return nil
	case c.Txn && c.Epoch < 0 && c.MemberID == "" && c.InstanceID == nil:
		return nil // a producer that knows no group metadata
	}
	m := g.members[c.MemberID]
	if m == nil {
		return wire.Errorf(wire.UnknownMemberID, "Member %s is not a member of group %s.", c.MemberID, c.Group)
	}
	if !c.Txn && !m.classic() && c.Version < 9 {
		return wire.Errorf(wire.UnsupportedVersion, "OffsetCommit version 9 or above must be used by members using the modern group protocol")
	}
	if c.Epoch < m.epoch && c.Epoch >= 0 && m.hadSince(c) {
		return nil
	}
	return m.at(c.Epoch)
}

// hadSince tells whether a member has had all partitions of a commit since the
// epoch that it commits at.
func (m *member) hadSince(c *kind.Commit) bool {
	for i := range c.Parts {
		for _, p := range c.Parts[i].Partitions {
			x := slot{topic: c.Parts[i].Topic, partition: p}
			s, ok := m.assigned.find(x)
			if !ok {
				s, ok = m.revoking.find(x)
			}
			if !ok || s.epoch > c.Epoch || s.epoch <= 0 {
				return false
			}
		}
	}
	return len(c.Parts) > 0
}

// MayFetch implements kind.Committer.
func (k *Kind) MayFetch(group string, member *string, epoch int32) error {
	g := k.Groups[group]
	if g == nil || member == nil {
		return nil
	}
	m := g.members[*member]
	if m == nil {
		return wire.Errorf(wire.UnknownMemberID, "Member %s is not a member of group %s.", *member, group)
	}
	return m.at(epoch)
}

// at refuses an epoch that is not the member's.
func (m *member) at(epoch int32) error {
	switch {
	case epoch == m.epoch:
		return nil
	case m.classic():
		return wire.Errorf(wire.IllegalGeneration, "The received generation id %d does not match the expected member epoch %d.", epoch, m.epoch)
	}
	return wire.Errorf(wire.StaleMemberEpoch, "The received member epoch %d does not match the expected member epoch %d.", epoch, m.epoch)
}
