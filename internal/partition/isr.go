package partition

import (
	"slices"

	"ottla/internal/partition/replica"
)

// Member is a replica in a proposed ISR.
type Member struct {
	Broker int32
	Epoch  int64 // of its registration, as its fetches told; -1 not known (KIP-903)
}

// Proposal is the ISR that a leader would have the controller note
// (AlterPartition, KIP-497).
type Proposal struct {
	LeaderEpoch, PartitionEpoch int32
	ISR                         []Member
}

// ProposeArgs tell Propose what it cannot know.
type ProposeArgs struct {
	MaxLagMs int64 // replica.lag.time.max.ms
	Epoch    int64 // of this node's own registration
	// MayJoin tells whether a replica may be in the ISR as the metadata say: it
	// is live, and its registration is of this epoch (-1: not told).
	MayJoin func(node int32, epoch int64) bool
}

// Propose gives the ISR as it should be, when that differs from the committed
// one: without those that lag or cannot go on, with those that have caught up. From then on the
// high watermark heeds both, until the controller's word (Become) or Withdraw.
// While one proposal is under way it gives that one again.
func (p *Partition) Propose(a *ProposeArgs) (Proposal, bool) {
	p.st.Lock()
	defer p.st.Unlock()
	if p.refusal != nil || p.core.Role() != replica.Leader || p.core.Replicas() < 2 {
		return Proposal{}, false
	}
	if !p.core.Proposing() && !p.core.Restless(p.steady(), a.MaxLagMs) {
		return Proposal{}, false
	}
	all := p.core.Standings(nil)
	if !p.core.Proposing() {
		isr := p.wanted(all, a)
		if isr == nil {
			return Proposal{}, false
		}
		p.core.Propose(isr)
	}
	out := Proposal{LeaderEpoch: p.core.LeaderEpoch(), PartitionEpoch: p.core.PartitionEpoch()}
	for _, id := range p.core.Proposed() {
		m := Member{id, a.Epoch}
		if id != p.node {
			m.Epoch = -1
			if i := slices.IndexFunc(all, func(s replica.Standing) bool { return s.ID == id }); i >= 0 {
				m.Epoch = all[i].BrokerEpoch
			}
		}
		out.ISR = append(out.ISR, m)
	}
	return out, true
}

// wanted is the ISR as it should be, nil when it is that already. st held.
func (p *Partition) wanted(all []replica.Standing, a *ProposeArgs) []int32 {
	out := p.core.Laggards(nil, p.steady(), a.MaxLagMs)
	var isr []int32
	for _, id := range p.core.ISR() {
		if !slices.Contains(out, id) && !p.core.Broken(id) {
			isr = append(isr, id)
		}
	}
	for _, s := range all {
		if p.core.MayJoin(s.ID) && a.MayJoin(s.ID, s.BrokerEpoch) {
			isr = append(isr, s.ID)
		}
	}
	if slices.Equal(isr, p.core.ISR()) {
		return nil
	}
	slices.Sort(isr) // so that it does not tell who came when
	return isr
}

// Withdraw takes a proposal back that the controller refused; one that it may
// have taken stays until its word comes.
func (p *Partition) Withdraw(x Proposal) {
	p.st.Lock()
	if p.core.PartitionEpoch() != x.PartitionEpoch || p.core.LeaderEpoch() != x.LeaderEpoch {
		p.st.Unlock()
		return
	}
	p.core.Withdraw()
	t := p.settle(p.highAt)
	p.st.Unlock()
	t.tell()
}

// InSync tells whether a replica is in sync as far as is known here: the
// controller has noted it, or a proposal of this leader's is under way.
func (p *Partition) InSync(node int32) bool {
	p.st.Lock()
	defer p.st.Unlock()
	return p.core.InSync(node)
}

// ThrottledLeader and ThrottledFollower tell whether this replica is one of those
// that send, or fetch, no faster than the node's rate (KIP-73). They take no lock.
func (p *Partition) ThrottledLeader() bool {
	return p.config.Load().Throttled.Leaders.Has(p.index, p.node)
}

// ThrottledFollower is ThrottledLeader of what follows.
func (p *Partition) ThrottledFollower() bool {
	return p.config.Load().Throttled.Followers.Has(p.index, p.node)
}

// Standings tells what the leader knows of its followers, in the order of
// assignment; nothing where this replica does not lead.
func (p *Partition) Standings() []replica.Standing {
	p.st.Lock()
	defer p.st.Unlock()
	if p.core.Role() != replica.Leader {
		return nil
	}
	return p.core.Standings(nil)
}

// Sole tells whether this replica leads and is the only one: nobody can take its
// place, whatever the node does not hear.
func (p *Partition) Sole() bool {
	p.st.Lock()
	defer p.st.Unlock()
	return p.core.Role() == replica.Leader && p.core.Replicas() <= 1
}

// Deposed tells whether another node may lead the partition by now in this one's place;
// trusted, where it is set, that none can have taken it yet.
func (p *Partition) Deposed(trusted func() bool) bool {
	return trusted != nil && !trusted() && !p.Sole()
}

// Reporter hears of a follower's syncs.
type Reporter interface {
	// Synced is called with no lock held, from sync rounds and appends: it must
	// be quick.
	Synced()
}

// Report has to told of every sync while the partition follows; nil ends it.
func (p *Partition) Report(to Reporter) {
	p.st.Lock()
	defer p.st.Unlock()
	p.reporter = to
}

// Synced is the offset below which everything is synced here, 0 while the log is
// not open. It takes no lock that is held over I/O.
func (p *Partition) Synced() int64 {
	if l := p.log.Load(); l != nil {
		return l.Durable().Offset
	}
	return 0
}
