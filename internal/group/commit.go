package group

import (
	"unicode/utf8"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// commit steps a Commit: who may, and which of the offsets.
func (t *turn) commit(c *Commit) error {
	if len(c.Group) > maxText || c.Txn != nil && c.Group == "" {
		return wire.InvalidGroupID
	}
	if code := t.mayCommit(c); code != wire.None {
		return code
	}
	expire := int64(-1)
	if c.RetentionMs != -1 {
		expire = max(t.wall.UnixMilli()+c.RetentionMs, 0)
	}
	r := CommitReply{Codes: make([][]wire.Code, len(c.Topics))}
	for i := range c.Topics {
		topic := &c.Topics[i]
		for j := range topic.Partitions {
			p := &topic.Partitions[j]
			if tooLong(p.Metadata, t.m.s.MaxMetadata) || expire >= 0 && len(p.Metadata) > maxText {
				r.Codes[i] = append(r.Codes[i], wire.OffsetMetadataTooLarge)
				continue
			}
			r.Codes[i] = append(r.Codes[i], wire.None)
			t.out.Records = append(t.out.Records, coordinator.Record{
				Key: schema.AppendOffsetKey(nil, c.Group, topic.Name, p.Index),
				Value: schema.AppendOffsetValue(nil, schema.OffsetValue{
					Offset: p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: p.Metadata,
					CommitMs: t.wall.UnixMilli(), ExpireMs: expire, TopicID: topic.ID,
				}),
				Txn: c.Txn,
			})
		}
	}
	t.answer(r)
	return nil
}

// mayCommit tells whether the committer may: a member of this generation, or
// someone outside where nobody is in. A member's commit is a sign of life.
func (t *turn) mayCommit(c *Commit) wire.Code {
	if k := t.m.kindOf(c.Group); k != nil {
		return mayCommitTo(k, c)
	}
	g := t.m.groups[c.Group]
	switch {
	case g == nil && c.Generation < 0:
		return wire.None // a consumer that manages its partitions itself
	case g == nil && c.TellsNotFound:
		return wire.GroupIDNotFound
	case g == nil:
		return wire.IllegalGeneration
	}
	l := g.live
	switch {
	case c.Generation < 0 && l.state == Empty:
		return wire.None
	case c.Generation >= 0 || c.MemberID != "" || c.InstanceID != nil:
		if code := l.validate(c.MemberID, c.InstanceID); code != wire.None {
			return code
		}
		if c.Generation != l.generation {
			return wire.IllegalGeneration
		}
	case c.Txn == nil:
		return wire.UnknownMemberID
	}
	if c.Txn != nil {
		return wire.None
	}
	switch l.state {
	case CompletingRebalance: // the partitions are about to be someone else's
		return wire.RebalanceInProgress
	case Stable, PreparingRebalance:
		t.alive(c.Group, l.members.get(c.MemberID))
	}
	return wire.None
}

// tooLong tells whether a text has more than limit UTF-16 units, which is what
// Kafka counts.
func tooLong(s string, limit int) bool {
	if len(s) <= limit {
		return false
	}
	units := utf8.RuneCountInString(s)
	for _, r := range s {
		if r > 0xFFFF {
			units++
		}
	}
	return units > limit
}

// endTxn steps an EndTxn.
func (t *turn) endTxn(c *EndTxn) {
	txn := c.Txn
	t.out.Records = append(t.out.Records, coordinator.Record{Txn: &txn})
	t.answer(nil)
}
