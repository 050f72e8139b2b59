package partition

import (
	"log/slog"

	"ottla/internal/log"
	"ottla/internal/partition/replica"
	"ottla/internal/wire"
)

// Role is what the metadata says of this partition.
type Role struct {
	Leader         int32 // -1 none
	LeaderEpoch    int32
	PartitionEpoch int32
	Replicas, ISR  []int32
}

// Become takes a role; a leader that begins a new epoch notes it before its
// first append. A role older than the one it has is ignored; one that comes
// before Open is taken at Open. When the lead is lost, everyone who waits is
// told NOT_LEADER_OR_FOLLOWER.
func (p *Partition) Become(r Role) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	if l == nil {
		p.pending = &r
		return nil
	}
	p.take(l, r)
	return nil
}

// take gives the core its assignment. mu held.
func (p *Partition) take(l *log.Log, r Role) {
	a := replica.Assignment{
		Leader: r.Leader, LeaderEpoch: r.LeaderEpoch, PartitionEpoch: r.PartitionEpoch,
		Replicas: r.Replicas, ISR: r.ISR, NowMs: p.steady(),
	}
	end := l.End()
	if r.Leader == p.node && p.renewal == released {
		p.renewal = sound // what it has is all that there is
	}
	switch {
	case p.core.Begins(a):
		l.Epochs().Assign(r.LeaderEpoch, end.Offset)
	case p.core.Follows(a):
		// An epoch that began here and wrote nothing: what the leader has there is
		// of other epochs.
		l.Epochs().TruncateEnd(end.Offset)
	}
	p.shared.Store(len(r.Replicas) > 1)
	var t *told
	p.st.Lock()
	c := p.core.Become(a)
	if c.LostLead {
		p.guards.Reset()
		t = p.abandon(wire.NotLeaderOrFollower)
	} else {
		t = p.settle(end)
	}
	p.publish()
	if c.Moved {
		p.alarm()
	}
	p.st.Unlock()
	t.tell()
	if c.Moved {
		p.logger.Debug("partition has a leader",
			slog.String("topic", p.topic), slog.Int("partition", int(p.index)),
			slog.Int("leader", int(r.Leader)), slog.Int("leader_epoch", int(r.LeaderEpoch)),
			slog.Int64("offset", end.Offset))
	}
}

// mayLead tells why a request that only the leader answers is refused, nil
// when it is not. current is the leader epoch that the sender knows, -1 when
// it did not say. st held.
func (p *Partition) mayLead(current int32) error {
	if p.refusal != nil {
		return p.refusal
	}
	if c := p.core.CheckLead(current); c != wire.None {
		return c
	}
	return nil
}

// mayServe is mayLead, or what a follower is asked instead where anyone may
// answer. st held.
func (p *Partition) mayServe(current int32, anyone bool) error {
	if !anyone || p.core.Role() == replica.Leader {
		return p.mayLead(current)
	}
	if p.refusal != nil {
		return p.refusal
	}
	if c := p.core.CheckEpoch(current); c != wire.None {
		return c
	}
	if p.core.Leader() < 0 {
		return wire.NotLeaderOrFollower
	}
	return nil
}

// lead is mayLead for those who need the log and no more. The log is nil when
// the error is not.
func (p *Partition) lead(current int32) (*log.Log, error) {
	p.st.Lock()
	defer p.st.Unlock()
	l := p.log.Load()
	if err := p.mayLead(current); err != nil {
		return nil, err
	}
	if l == nil {
		return nil, wire.NotLeaderOrFollower
	}
	return l, nil
}
