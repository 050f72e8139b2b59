package partition

import (
	"ottla/internal/log/note"
	"ottla/internal/wire"
)

// MayAppend tells whether a batch for all replicas would be taken at this
// moment by the leader of the given epoch: NOT_LEADER_OR_FOLLOWER,
// FENCED_LEADER_EPOCH and NOT_ENOUGH_REPLICAS come before anything is written.
func (p *Partition) MayAppend(leaderEpoch int32) error {
	p.st.Lock()
	defer p.st.Unlock()
	if p.refusal != nil {
		return p.refusal
	}
	if p.core.LeaderEpoch() != leaderEpoch {
		return wire.FencedLeaderEpoch
	}
	if c := p.core.MayAppend(-1); c != wire.None {
		return c
	}
	return nil
}

// MaxBatch is the most bytes that a batch may have, header included: the
// smaller of max.message.bytes and segment.bytes.
func (p *Partition) MaxBatch() int {
	c := p.config.Load()
	most := int64(c.Rules.MaxBatchBytes)
	if s := c.Log.SegmentBytes; s > 0 && (most <= 0 || s < most) {
		most = s
	}
	return int(most)
}

// Note is the file beside the log that belongs to the coordinator on this
// partition; nil while the log is not open.
func (p *Partition) Note() *note.File {
	if l := p.log.Load(); l != nil {
		return l.Note()
	}
	return nil
}
