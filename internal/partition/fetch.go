package partition

import (
	"errors"
	"io/fs"

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
func (p *Partition) read(v *view, to log.Position, a *FetchArgs, f *Fetched) error {
	err := v.read(to, a, f)
	for err != nil && p.moved(v, err) {
		err = v.read(to, a, f)
	}
	if err != nil {
		return p.fault(err)
	}
	return nil
}

// moved tells whether a read failed because the log goes on in another directory,
// with the same bytes at the same places; the view is of that then. Its files are
// gone from the old one a moment before the partition has the new one, so a
// reader that misses them waits for who may be moving it.
func (p *Partition) moved(v *view, why error) bool {
	if errors.Is(why, fs.ErrNotExist) {
		p.mu.Lock()
		defer p.mu.Unlock()
	}
	l := p.log.Load()
	if l == nil || l == v.log {
		return false
	}
	v.log = l
	return true
}

// read is one try, at the log of the view.
func (v *view) read(to log.Position, a *FetchArgs, f *Fetched) (err error) {
	f.Slice, f.Aborted = log.Slice{}, nil
	slice, err := v.log.Read(a.Offset, to, a.MaxBytes, a.MinOne)
	if err != nil {
		return err
	}
	if a.Isolation == ReadCommitted && slice.Len > 0 {
		if f.Aborted, err = v.log.AbortedIn(&slice, a.Offset, v.end); err != nil {
			slice.Release()
			f.Aborted = nil
			return err
		}
	}
	f.Slice = slice
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
