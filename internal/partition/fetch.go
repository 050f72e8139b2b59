package partition

import (
	"ottla/internal/log"
	"ottla/internal/partition/replica"
	"ottla/internal/producer"
	"ottla/internal/wire"
)

// Isolation of a read.
type Isolation int8

// The isolation levels of KIP-98.
const (
	ReadUncommitted Isolation = iota
	ReadCommitted
)

// FetchArgs ask for records.
type FetchArgs struct {
	Offset             int64
	MaxBytes           int
	MinOne             bool
	Isolation          Isolation
	CurrentLeaderEpoch int32 // -1 not given
	LastFetchedEpoch   int32 // -1 not given
	// Anyone: a follower may answer too, up to its own high watermark (KIP-392).
	Anyone bool
}

// Fetched is an answer. Slice must be released when its Len is above 0.
type Fetched struct {
	HighWatermark, LastStable, LogStart int64
	Slice                               log.Slice
	Aborted                             []producer.Aborted // ReadCommitted only
	Diverging                           bool               // DivergingEpoch, DivergingEnd are set
	DivergingEpoch                      int32
	DivergingEnd                        int64
}

// view is where the partition stood at one moment.
type view struct {
	log          *log.Log
	start, end   int64
	high, stable log.Position // high watermark, last stable offset
	epoch        int32
	catching     bool // the high watermark is still below the start of this epoch
}

// look takes a view, or tells why the partition answers nobody.
func (p *Partition) look(current int32) (view, error) { return p.lookAs(current, false) }

// lookAs is look, where a follower may answer as well if anyone may.
func (p *Partition) lookAs(current int32, anyone bool) (v view, err error) {
	p.st.Lock()
	defer p.st.Unlock()
	if err := p.mayServe(current, anyone); err != nil {
		return v, err
	}
	v = view{
		log: p.log.Load(), start: p.core.Start(), end: p.core.End(), high: p.highAt, stable: p.stableAt,
		epoch: p.core.LeaderEpoch(), catching: p.core.Catching(),
	}
	if v.log == nil {
		return v, wire.NotLeaderOrFollower
	}
	return v, nil
}

// bound is the position below which a reader may read.
func (v *view) bound(i Isolation) log.Position {
	if i == ReadCommitted {
		return v.stable
	}
	return v.high
}

// Fetch reads from a.Offset up to the high watermark, or the last stable
// offset for ReadCommitted. On an error, an offset out of range among them,
// Fetched's offsets are -1 as Kafka answers. Allocates nothing when there is
// nothing aborted.
func (p *Partition) Fetch(a *FetchArgs, f *Fetched) error {
	*f = Fetched{HighWatermark: -1, LastStable: -1, LogStart: -1}
	v, err := p.lookAs(a.CurrentLeaderEpoch, a.Anyone)
	if err != nil {
		return err
	}
	if err := v.inRange(a); err != nil {
		return err
	}
	if a.LastFetchedEpoch >= 0 {
		if err := v.compare(a, f); err != nil {
			return err
		}
	}
	to := v.bound(a.Isolation)
	if !f.Diverging && a.Offset < to.Offset && (a.MaxBytes > 0 || a.MinOne) {
		if err := p.read(&v, to, a, f); err != nil {
			return err
		}
	}
	f.HighWatermark, f.LastStable, f.LogStart = v.high.Offset, v.stable.Offset, v.start
	return nil
}

// read fills the slice and the list of aborted transactions.
func (p *Partition) read(v *view, to log.Position, a *FetchArgs, f *Fetched) (err error) {
	f.Slice, err = v.log.Read(a.Offset, to, a.MaxBytes, a.MinOne)
	if err != nil {
		// It may have moved to another directory in this moment: it goes on there,
		// with the same bytes at the same places.
		if l := p.log.Load(); l != nil && l != v.log {
			v.log = l
			f.Slice, err = l.Read(a.Offset, to, a.MaxBytes, a.MinOne)
		}
	}
	if err != nil {
		f.Slice = log.Slice{}
		return p.fault(err)
	}
	if a.Isolation == ReadUncommitted || f.Slice.Len == 0 {
		return nil
	}
	f.Aborted, err = v.log.AbortedIn(&f.Slice, a.Offset, v.end)
	if err != nil {
		f.Slice.Release()
		f.Slice, f.Aborted = log.Slice{}, nil
		return p.fault(err)
	}
	return nil
}

// inRange refuses offsets that the log does not have. Between the high
// watermark and the log end there is nothing to read yet, and no error.
func (v *view) inRange(a *FetchArgs) error {
	// A reader with a newer tail than ours has diverged; it must learn where,
	// and not that it is out of range.
	if a.Offset < v.start || a.Offset > v.end && a.LastFetchedEpoch < 0 {
		return wire.OffsetOutOfRange
	}
	return nil
}

// compare judges the epoch of the reader's last record (KIP-595).
func (v *view) compare(a *FetchArgs, f *Fetched) error {
	epoch, end := v.log.Epochs().EndOf(a.LastFetchedEpoch, v.end)
	if epoch < 0 || end < 0 {
		return wire.OffsetOutOfRange
	}
	if replica.Diverges(a.LastFetchedEpoch, a.Offset, epoch, end) {
		f.Diverging, f.DivergingEpoch, f.DivergingEnd = true, epoch, end
	}
	return nil
}
