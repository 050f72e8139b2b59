package streams

import (
	"slices"

	"ottla/internal/group/kind"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// MayCommit implements kind.Committer. A member commits at its epoch; at an
// older one it may commit partitions of tasks that it has had since then.
// Outside of the group one may commit while it has no members.
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
		return unknown(c.MemberID, c.Group)
	}
	switch {
	case !c.Txn && c.Version < 9:
		return wire.Errorf(wire.UnsupportedVersion, "OffsetCommit version 9 or above must be used by members using the streams group protocol")
	case c.Epoch == m.epoch:
		return nil
	case c.Epoch > m.epoch:
		return wire.Errorf(wire.StaleMemberEpoch, "Received member epoch %d is newer than current member epoch %d.", c.Epoch, m.epoch)
	}
	return k.hadSince(g, m, c)
}

// hadSince refuses partitions that a member has not had since the epoch that it
// commits at.
func (k *Kind) hadSince(g *group, m *member, c *kind.Commit) error {
	for i := range c.Parts {
		sub, ok := k.subOf(g, c.Parts[i].Topic)
		if !ok {
			return wire.Errorf(wire.StaleMemberEpoch, "Received member epoch %d is older than current member epoch %d.", c.Epoch, m.epoch)
		}
		for _, p := range c.Parts[i].Partitions {
			x := task{place: place{sub, p}}
			at, found := slices.BinarySearchFunc(m.assigned[active], x, compare)
			switch {
			case found:
				x = m.assigned[active][at]
			case m.revoking[active].has(x):
				at, _ = slices.BinarySearchFunc(m.revoking[active], x, compare)
				x = m.revoking[active][at]
			default:
				return wire.Errorf(wire.StaleMemberEpoch, "Task %s-%d is not assigned or pending revocation for member.", sub, p)
			}
			if x.epoch > c.Epoch {
				return wire.Errorf(wire.StaleMemberEpoch, "Received member epoch %d is older than assignment epoch %d for task %s-%d.", c.Epoch, x.epoch, sub, p)
			}
		}
	}
	return nil
}

// subOf is the subtopology that reads a topic.
func (k *Kind) subOf(g *group, id uuid.UUID) (string, bool) {
	t := k.s.Image().TopicByID(id)
	if t == nil || g.topology == nil {
		return "", false
	}
	for i := range g.topology.Subtopologies {
		if s := &g.topology.Subtopologies[i]; slices.Contains(reads(s), t.Name) {
			return s.ID, true
		}
	}
	return "", false
}

// MayFetch implements kind.Committer.
func (k *Kind) MayFetch(group string, id *string, epoch int32) error {
	g := k.Groups[group]
	if g == nil || id == nil {
		return nil
	}
	m := g.members[*id]
	switch {
	case m == nil && *id == "" && epoch < 0:
		return nil // a tool
	case m == nil:
		return unknown(*id, group)
	case m.epoch != epoch:
		return wire.Errorf(wire.StaleMemberEpoch, "The received member epoch %d does not match the expected member epoch %d.", epoch, m.epoch)
	}
	return nil
}
