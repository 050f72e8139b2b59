package derive

import (
	"errors"
	"io"
	"math"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

// Source is a segment to derive from.
type Source struct {
	FS   vfs.FS
	Path string // directory and name without suffix
	File io.ReaderAt
	Base int64
	Size int64 // so many bytes of it
}

// Indexes are the indexes of a segment as appends would have made them.
type Indexes struct {
	Offsets        index.Offsets
	Times          index.Times
	MaxMs, MaxLast int64 // the largest timestamp, and the last offset of the first batch that has it; -1 when empty
	FirstMs        int64 // largest timestamp of the first batch
	Last           int64 // the offset after the last batch
}

// builder makes Indexes.
type builder struct {
	Indexes
	base, interval int64
	sparse         bool  // offsets may be left out
	exact          bool  // Last is known: an index entry does not tell where its batch begins
	from           int64 // where the walk begins
	since          int64
}

// Make takes over the segment's index files as far as they are sound, and walks
// the headers for the rest. interval is index.interval.bytes; sparse says that
// offsets may be missing.
func Make(s Source, interval int64, sparse bool) (*Indexes, error) {
	b := builder{base: s.Base, sparse: sparse, exact: true, interval: interval}
	b.MaxMs, b.MaxLast, b.Last = -1, -1, s.Base
	b.fromFiles(&s)
	if err := b.walk(s.File, s.Size); err != nil {
		return nil, err
	}
	return &b.Indexes, nil
}

// fromFiles takes over the entries of the index files, when both are sound and
// their last entries agree with the batches they point to.
func (b *builder) fromFiles(s *Source) {
	ob, oerr := checkpoint.Read(s.FS, s.Path+layout.Index)
	tb, terr := checkpoint.Read(s.FS, s.Path+layout.Times)
	if oerr != nil || terr != nil {
		return
	}
	offsets, oerr := index.ParseOffsets(ob, s.Size)
	times, terr := index.ParseTimes(tb)
	if oerr != nil || terr != nil || len(offsets) == 0 {
		return
	}
	if len(ob) != len(offsets)*index.OffsetSize || len(tb) != len(times)*index.TimeSize {
		return // zeros at the end: never finished, or damaged
	}
	r := walk.Get(s.File, 0, s.Size)
	defer r.Put()
	last := offsets[len(offsets)-1]
	var head record.Header
	r.Move(int64(last.Pos))
	if r.Header(&head) != nil || head.LastOffset() != s.Base+int64(last.Rel) {
		return
	}
	// Every offset entry came with the largest timestamp so far; where that of
	// the last one is missing, the time index has lost its end.
	times = times.Cut(int64(last.Rel) + 1) // the closing entry: the walk makes it again
	n := len(times)
	if n == 0 && TimeOf(&head) >= 0 || n > 0 && (times[n-1].TimestampMs < TimeOf(&head) || times[0].Rel > offsets[0].Rel) {
		return
	}
	if n > 0 {
		t := times[n-1]
		pos, _ := offsets.Floor(int64(t.Rel))
		r.Move(pos)
		if !FindBatch(r, &head, s.Base+int64(t.Rel)) || head.LastOffset() != s.Base+int64(t.Rel) || TimeOf(&head) != t.TimestampMs {
			return
		}
		b.MaxMs, b.MaxLast = t.TimestampMs, s.Base+int64(t.Rel)
	}
	b.Offsets, b.Times, b.from, b.exact = offsets, times, int64(last.Pos), false
	b.since = 0
	r.Move(0)
	if r.Header(&head) == nil {
		b.FirstMs = TimeOf(&head)
	}
}

// FindBatch moves to the batch that holds offset, or the first one after it.
func FindBatch(r *walk.Reader, h *record.Header, offset int64) bool {
	for r.Header(h) == nil {
		if h.LastOffset() >= offset {
			return true
		}
		r.Skip(h)
	}
	return false
}

// walk goes through the headers up to byte to. Rot is stepped over: what it
// holds can not be indexed, and whoever reads there is told.
func (b *builder) walk(src io.ReaderAt, to int64) error {
	r := walk.Get(src, b.from, to)
	defer r.Put()
	var h record.Header
	for {
		err := r.Header(&h)
		if err == io.EOF {
			return nil
		}
		if bad := (*walk.Bad)(nil); errors.As(err, &bad) || err == nil && b.misplaced(&h) {
			ok, rerr := r.Resync(&h, b.Last, math.MaxInt64)
			if rerr != nil {
				return rerr
			}
			if !ok {
				return nil
			}
		} else if err != nil {
			return err
		}
		b.add(&h, r.Pos())
		r.Skip(&h)
	}
}

// misplaced tells whether a batch's offset can not be right. It gets no entry: a
// reader would be led to the wrong batch.
func (b *builder) misplaced(h *record.Header) bool {
	return b.exact && (h.BaseOffset < b.Last || h.BaseOffset > b.Last && !b.sparse)
}

func (b *builder) add(h *record.Header, pos int64) {
	ms := TimeOf(h)
	if pos == 0 {
		b.FirstMs = ms
	}
	if ms > b.MaxMs {
		b.MaxMs, b.MaxLast = ms, h.LastOffset()
	}
	if b.since > b.interval && fits32(h.LastOffset()-b.base) && fits32(pos) {
		b.Offsets = append(b.Offsets, index.Offset{Rel: int32(h.LastOffset() - b.base), Pos: int32(pos)})
		if b.MaxMs >= 0 && fits32(b.MaxLast-b.base) {
			b.Times = b.Times.Add(index.Time{TimestampMs: b.MaxMs, Rel: int32(b.MaxLast - b.base)})
		}
		b.since = 0
	}
	b.since += int64(h.Size())
	b.Last, b.exact = h.NextOffset(), true
}

// TimeOf is the largest timestamp of a batch's records, -1 where there are none:
// a batch that compaction emptied keeps its time for its producer's sake alone.
func TimeOf(h *record.Header) int64 {
	if h.Count == 0 {
		return -1
	}
	return h.MaxTimestamp
}

func fits32(v int64) bool { return v >= 0 && v < 1<<31 }
