package walk

import (
	"fmt"
	"math"
	"sync/atomic"

	"ottla/internal/log/epoch"
	"ottla/internal/record"
)

// Order holds the batches of one segment against what every appended batch
// keeps: rising offsets, epochs that fit, checksums. A checksum covers neither
// the offset nor the epoch of its batch, so a stale or misdirected batch shows
// only here. An Order is one goroutine's.
type Order struct {
	Exact bool  // Next is known: the end of the batch before, or the segment's base
	Next  int64 // the least offset that the next batch may have
	End   int64 // what the segment ends below; set by who knows it
	Epoch int32 // of the last batch, -1 before the first

	log *Rules
}

// Rules are what a log knows of its batches; the flags may be raised meanwhile.
type Rules struct {
	Epochs *epoch.Cache
	Sparse *atomic.Bool // offsets may be missing inside segments
	Loose  *atomic.Bool // batches may have other epochs than the cache says
}

// From begins at a segment's base. It is exact when the first batch that is
// checked is the segment's first.
func (r *Rules) From(base int64, exact bool) Order {
	return Order{Exact: exact, Next: base, End: math.MaxInt64, Epoch: -1, log: r}
}

// Check reads the header at the reader's place and checks the whole batch.
func (o *Order) Check(r *Reader, h *record.Header) error {
	if err := r.Header(h); err != nil {
		return err
	}
	if err := o.Fits(r, h); err != nil {
		return err
	}
	if err := r.Check(h); err != nil {
		return err
	}
	o.Took(h)
	return nil
}

// Whole is Check for a batch whose header and bytes were read already.
func (o *Order) Whole(r *Reader, h *record.Header, b []byte) error {
	if err := o.Fits(r, h); err != nil {
		return err
	}
	if !record.VerifyCRC(b) {
		return &Bad{Byte: r.Pos(), Reason: "has a wrong checksum"}
	}
	o.Took(h)
	return nil
}

// Took goes on after a batch.
func (o *Order) Took(h *record.Header) {
	o.Next, o.Epoch, o.Exact = h.NextOffset(), h.LeaderEpoch, true
}

// Fits tells what is wrong with a batch's place in the segment.
func (o *Order) Fits(r *Reader, h *record.Header) error {
	if h.BaseOffset < o.Next {
		return &Bad{Byte: r.Pos(), Reason: "has an offset that was there before: it is a stale or misdirected batch"}
	}
	if o.Exact && h.BaseOffset != o.Next && !o.log.Sparse.Load() {
		return &Bad{Byte: r.Pos(), Reason: fmt.Sprintf("has offset %d, want %d", h.BaseOffset, o.Next)}
	}
	if h.LastOffset() >= o.End {
		return &Bad{Byte: r.Pos(), Reason: fmt.Sprintf("has offsets up to %d, and %d is not in the segment any more", h.LastOffset(), o.End)}
	}
	if h.LeaderEpoch < o.Epoch {
		return &Bad{Byte: r.Pos(), Reason: "has an older leader epoch than the batch before it"}
	}
	if e, ok := o.log.Epochs.EpochOf(h.LastOffset()); ok && e != h.LeaderEpoch && h.LeaderEpoch >= 0 && !o.log.Loose.Load() {
		return &Bad{Byte: r.Pos(), Reason: fmt.Sprintf("has leader epoch %d, want %d", h.LeaderEpoch, e)}
	}
	return nil
}
