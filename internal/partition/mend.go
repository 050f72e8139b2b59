package partition

import (
	"cmp"
	"errors"

	"ottla/internal/log"
	"ottla/internal/wire"
)

// What is damaged here and well on another replica is mended from there: bytes in
// their place (Mend), or everything anew (Condemn, Release, then the fetcher).

// renewal is how far a replica is from being fetched anew.
type renewal int8

const (
	sound     renewal = iota
	condemned         // it asks its leader for nothing, so that nobody counts on it
	released          // nobody does: its next fetch begins with an empty log
)

// Damages lists what cannot be read in the segment that holds an offset.
func (p *Partition) Damages(offset int64) ([]log.Damage, error) {
	l := p.log.Load()
	if l == nil {
		return nil, wire.NotLeaderOrFollower
	}
	return l.Damages(offset)
}

// SegmentBases lists the base offsets of the log's segments.
func (p *Partition) SegmentBases() []int64 {
	if l := p.log.Load(); l != nil {
		return l.SegmentBases()
	}
	return nil
}

// Mend puts another replica's batches in the place of a damage; log.ErrMisfit when
// they do not fit.
func (p *Partition) Mend(d log.Damage, b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	if l == nil {
		return wire.NotLeaderOrFollower
	}
	return l.Mend(d, b)
}

// Condemn has a replica ask its leader for nothing more until Release, or Spare.
func (p *Partition) Condemn() { p.renews(condemned) }

// Release has it begin again with its next fetch: the controller has noted that
// nobody counts on it.
func (p *Partition) Release() { p.renews(released) }

// Spare takes Condemn back.
func (p *Partition) Spare() { p.renews(sound) }

func (p *Partition) renews(r renewal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.renewal != sound || r == condemned { // StartOver may have been faster
		p.renewal = r
	}
}

// Damaged tells whether the replica is to be fetched anew, and has not begun to.
func (p *Partition) Damaged() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	return l != nil && (p.renewal != sound || l.Lost())
}

// Doubted tells whether the log may end below what this replica had acknowledged, as
// it was opened (log.Log.Doubted).
func (p *Partition) Doubted() bool {
	l := p.log.Load()
	return l != nil && l.Doubted()
}

// Trust ends what Doubted told: a restart does not find it again. Until then it does.
func (p *Partition) Trust() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	if l == nil {
		return wire.NotLeaderOrFollower
	}
	return p.fault(l.Trust())
}

// Tail is how far a log goes.
type Tail struct {
	Epoch int32 // the latest leader epoch, -1 when none is known
	End   int64 // the log end offset
	// Doubted: the replica waits for others to tell how far they go (package mend).
	Doubted bool
}

// Compare tells which log goes further: 1 when t does. As in elections of Raft: where
// one of two has everything committed, the one that goes further has.
func (t Tail) Compare(o Tail) int {
	return cmp.Or(cmp.Compare(t.Epoch, o.Epoch), cmp.Compare(t.End, o.End))
}

// Tail tells how far the log goes, whatever role this replica has. Whether that is in
// doubt is for who opened it to say.
func (p *Partition) Tail() (Tail, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	if l == nil {
		return Tail{Epoch: -1, End: -1}, wire.NotLeaderOrFollower
	}
	t := Tail{Epoch: -1, End: l.End().Offset}
	if e, ok := l.Epochs().Latest(); ok {
		t.Epoch = e.Epoch
	}
	return t, nil
}

// Enough is how many replicas of so many must be in sync for records to be committed
// (min.insync.replicas).
func (p *Partition) Enough(replicas int) int {
	return max(1, min(p.config.Load().MinInsync, replicas))
}

// mustWait tells whether a replica that has lost something may not begin anew yet.
// mu held.
func (p *Partition) mustWait(l *log.Log) bool {
	return p.renewal == condemned || p.renewal == sound && p.rot != nil && l.Lost()
}

// rotten tells whoever wants to know that a range cannot be read. Locks may be
// held.
func (p *Partition) rotten(err error) {
	rot := (*log.CorruptError)(nil)
	if p.rot != nil && errors.As(err, &rot) {
		p.rot(p, rot.Offset)
	}
}
