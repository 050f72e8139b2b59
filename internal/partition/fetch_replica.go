package partition

import (
	"slices"

	"ottla/internal/log"
	"ottla/internal/partition/replica"
	"ottla/internal/wire"
)

// ReplicaArgs are a follower's fetch.
type ReplicaArgs struct {
	FetchArgs
	Replica     int32 // its node
	BrokerEpoch int64 // of that node's registration, -1 when not told (KIP-903)
	Synced      int64 // what it has synced, -1 when not told
	LogStart    int64 // its log start offset
	Stuck       bool  // it could not keep what it got last
}

// FetchReplica is Fetch for another replica: up to the log end. a.Offset is the
// replica's log end, and counts as its progress once its last record is known to
// be ours: the high watermark may go up by it, and a replica that has caught up
// may join the ISR. An offset out of range still tells, in f, where the log
// begins. a.CurrentLeaderEpoch must be given.
func (p *Partition) FetchReplica(a *ReplicaArgs, f *Fetched) error {
	*f = Fetched{HighWatermark: -1, LastStable: -1, LogStart: -1}
	v, err := p.look(a.CurrentLeaderEpoch)
	if err != nil {
		return err
	}
	f.LogStart = v.start
	if err := v.inRange(&a.FetchArgs); err != nil {
		return err
	}
	if a.LastFetchedEpoch >= 0 {
		if err := v.compare(&a.FetchArgs, f); err != nil {
			return err
		}
	}
	if f.Diverging {
		f.HighWatermark, f.LastStable = v.high.Offset, v.stable.Offset
		return nil
	}
	if err := p.fetched(a, f); err != nil {
		return err
	}
	to := log.Position{Offset: v.end, Byte: -1}
	if end := v.log.End(); end.Offset == v.end {
		to = end
	}
	if a.Offset < to.Offset && (a.MaxBytes > 0 || a.MinOne) {
		return p.read(&v, to, &a.FetchArgs, f)
	}
	return nil
}

// fetched notes a follower's progress and tells what moved by it.
func (p *Partition) fetched(a *ReplicaArgs, f *Fetched) error {
	return p.progress(a.Replica, a.CurrentLeaderEpoch, f, func() wire.Code {
		p.lowered()
		return p.core.Fetched(a.Replica, replica.Fetch{
			Appended: a.Offset, Synced: a.Synced, Start: a.LogStart, NowMs: p.steady(), BrokerEpoch: a.BrokerEpoch, Stuck: a.Stuck,
		})
	})
}

// Progress notes what a replica has synced between two of its fetches.
func (p *Partition) Progress(node, leaderEpoch int32, synced int64) error {
	return p.progress(node, leaderEpoch, nil, func() wire.Code { return p.core.Progressed(node, synced) })
}

// progress lets the core take a follower's news and settles what moved.
func (p *Partition) progress(node, leaderEpoch int32, f *Fetched, take func() wire.Code) error {
	p.st.Lock()
	if err := p.mayLead(leaderEpoch); err != nil {
		p.st.Unlock()
		return err
	}
	if c := take(); c != wire.None {
		p.st.Unlock()
		return c
	}
	t := p.settle(p.highAt)
	if f != nil {
		f.HighWatermark, f.LastStable, f.LogStart = p.core.High(), p.core.Stable(), p.core.Start()
	}
	ask := p.inSync != nil && !p.core.Proposing() && (p.core.MayJoin(node) || p.core.Broken(node) || p.core.Hinders(node))
	p.st.Unlock()
	t.tell()
	if ask {
		p.inSync(p)
	}
	return nil
}

// News is what stirs a feed.
type News int8

// What there is to tell, from what can wait to what cannot.
const (
	NewsMoved   News = iota // the high watermark or the log start offset
	NewsRecords             // there are new records
	NewsChanged             // role, epoch or error: nothing will come as it did
)

// Feed is a follower's standing interest in a partition.
type Feed interface {
	// Stirred is called with st held, so after Starve has returned it is not
	// called any more. It must be quick, and must neither call the partition nor
	// wait for a lock that is held around a call of this package. by, if not
	// nil, takes what the feed has to do; it is good until Stirred returns.
	Stirred(n News, by *Woken)
}

// Feed registers f until Starve; the caller looks at the partition afterwards.
func (p *Partition) Feed(f Feed) {
	p.st.Lock()
	defer p.st.Unlock()
	p.feeds = append(p.feeds, f)
}

// Starve takes Feed back.
func (p *Partition) Starve(f Feed) {
	p.st.Lock()
	defer p.st.Unlock()
	if i := slices.Index(p.feeds, f); i >= 0 {
		p.feeds = slices.Delete(p.feeds, i, i+1)
	}
}

// stir tells every feed. st held.
func (p *Partition) stir(n News) {
	for _, f := range p.feeds {
		f.Stirred(n, p.by)
	}
}
