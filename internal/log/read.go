package log

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/derive"
	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/record"
)

// Slice is a range of bytes of one segment file, which stays open (and on
// disk) until Release.
type Slice struct {
	Len   int
	file  *handle
	start int64
}

var _ io.ReaderAt = (*Slice)(nil)

// ReadAt reads from the slice; off counts from its beginning.
func (s *Slice) ReadAt(p []byte, off int64) (int, error) {
	if s.file == nil || off < 0 || off >= int64(s.Len) {
		return 0, io.EOF
	}
	short := int64(s.Len) - off
	if int64(len(p)) <= short {
		return s.file.f.ReadAt(p, s.start+off)
	}
	n, err := s.file.f.ReadAt(p[:short], s.start+off)
	if err == nil {
		err = io.EOF
	}
	return n, err
}

// Fd gives the descriptor and the offset in it for sendfile(2); ok is false
// where the file system has no descriptors. It is good until Release.
func (s *Slice) Fd() (fd uintptr, offset int64, ok bool) {
	if s.file == nil {
		return 0, 0, false
	}
	fd, ok = s.file.f.Fd()
	return fd, s.start, ok
}

// Release gives the file back; the slice is empty after it.
func (s *Slice) Release() {
	if h := s.file; h != nil {
		*s = Slice{}
		h.release()
	}
}

// Read finds up to maxBytes of whole-file bytes from the batch that holds
// offset on, not past to (a Position from End, Durable or a high watermark; its
// Byte may be -1). Bytes may end inside a batch, but with minOne the first
// batch is whole however large. They stem from one segment. Empty when offset
// equals to.Offset. It fails with ErrOutOfRange, *CorruptError, or the
// directory's error; an error of the disk in reading is this log's alone. The
// caller releases the slice.
func (l *Log) Read(offset int64, to Position, maxBytes int, minOne bool) (Slice, error) {
	for {
		cuts := l.cutCount()
		s, err := l.read(offset, to, maxBytes, minOne)
		if err == nil || l.cutCount() == cuts {
			return s, err
		}
		// A truncation or a cleaning took the bytes from under the look-up.
	}
}

func (l *Log) read(offset int64, to Position, maxBytes int, minOne bool) (Slice, error) {
	if l.dir.failed.Load() {
		return Slice{}, l.dir.Err()
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return Slice{}, ErrClosed
	}
	if to.Offset > l.end.Offset {
		to = l.end
	}
	if offset < l.start || offset > to.Offset {
		l.mu.Unlock()
		return Slice{}, ErrOutOfRange
	}
	if offset == to.Offset {
		l.mu.Unlock()
		return Slice{}, nil
	}
	p, ok := l.atTail(offset, to)
	if ok {
		p.h.refs.Add(1)
	}
	l.mu.Unlock()
	if !ok {
		var err error
		if p, err = l.locate(offset, to); err != nil || p.h == nil {
			return Slice{}, err
		}
	}
	for {
		out, err := l.slice(p, maxBytes, minOne)
		if err == nil {
			return out, nil
		}
		rot := (*CorruptError)(nil)
		if !errors.As(err, &rot) || rot.nextByte <= p.at || rot.nextByte >= p.limit || rot.NextOffset > offset {
			p.h.release()
			return Slice{}, err
		}
		// A rotten header claimed the offset; the batch that has it is
		// further on.
		p.at, p.first, p.after = walkTo(p, rot.nextByte, offset), -1, -1
		if p.at >= p.limit {
			p.h.release()
			return Slice{}, err
		}
	}
}

// walkTo goes from byte from of a place's segment to the batch that holds
// offset.
func walkTo(p place, from, offset int64) int64 {
	r := walk.Get(p.h.f, from, p.limit)
	defer r.Put()
	var h record.Header
	derive.FindBatch(r, &h, offset)
	return r.Pos()
}

// cutCount counts what takes segments from under a look-up: one that failed and
// sees it changed looks again.
func (l *Log) cutCount() uint64 { return l.cuts.Load() + l.cleaning.swaps.Load() }

// again tells whether a look-up that failed is to be repeated.
func (l *Log) again(err error, cuts uint64) bool { return err != nil && l.cutCount() != cuts }

// place is where a read begins and how far it may go. h carries a reference.
type place struct {
	s     *segment
	h     *handle
	at    int64 // first byte of the batch
	first int64 // byte after the first batch, -1 when not known yet
	limit int64
	after int64 // the offset after the first batch when it was written, -1 when it was looked up by its header
}

// atTail finds the place without the disk, for a reader near the end; Log.mu
// is held.
func (l *Log) atTail(offset int64, to Position) (place, bool) {
	s := l.active()
	if s == nil || s.handle == nil || offset < s.base || l.tail == nil {
		return place{}, false
	}
	at, first, after, ok := l.tail.Find(offset)
	if !ok {
		return place{}, false
	}
	limit := to.Byte
	switch {
	case to.Offset == l.end.Offset:
		limit = s.size
	case to.Segment != s.base || limit < 0:
		if limit, _, _, ok = l.tail.Find(to.Offset); !ok {
			return place{}, false
		}
	}
	if at >= limit || limit > s.size {
		return place{}, false
	}
	return place{s: s, h: s.handle, at: at, first: first, limit: limit, after: after}, true
}

// floorSegment is the index of the last segment whose base is not above
// offset, -1 when there is none; Log.mu is held.
func (l *Log) floorSegment(offset int64) int {
	return sort.Search(len(l.segs), func(i int) bool { return l.segs[i].base > offset }) - 1
}

// locate finds the place with the help of the indexes and a short walk. h is
// nil when nothing of the log lies in [offset, to).
func (l *Log) locate(offset int64, to Position) (place, error) {
	for {
		l.mu.Lock()
		i := l.floorSegment(offset)
		if i < 0 {
			next := l.end.Offset
			if len(l.segs) > 0 {
				next = l.segs[0].base
			}
			l.mu.Unlock()
			return place{}, l.hole(offset, next)
		}
		s := l.segs[i]
		size, nextBase := s.size, int64(-1)
		if i+1 < len(l.segs) {
			nextBase = l.segs[i+1].base
		}
		l.mu.Unlock()
		p, h, err := l.find(s, offset, size)
		if err != nil {
			return place{}, err
		}
		if p.h != nil && h.BaseOffset < to.Offset {
			p.limit, err = l.limit(p, size, nextBase, to)
			if err != nil || p.limit <= p.at {
				p.h.release()
				return place{}, err
			}
			return p, nil
		}
		if p.h != nil {
			p.h.release()
			return place{}, nil
		}
		if nextBase < 0 || nextBase >= to.Offset {
			if !l.joined(l.lastOf(s), nextBase) {
				return place{}, l.hole(offset, nextBase)
			}
			return place{}, nil
		}
		if !l.joined(l.lastOf(s), nextBase) {
			return place{}, l.hole(offset, nextBase)
		}
		offset = nextBase
	}
}

// joined tells whether a segment that ends at last and the next one, which begins
// at base, belong together: what is between was left out by compaction or by an
// append beyond the end.
func (l *Log) joined(last, base int64) bool {
	if base < 0 || last >= base || l.sparse.Load() {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gapBefore(last, base)
}

// gapBefore tells whether it is known that nothing lies in [last, base); Log.mu
// or Log.w is held.
func (l *Log) gapBefore(last, base int64) bool {
	return slices.ContainsFunc(l.gaps, func(g checkpoint.Gap) bool { return g.To == base && last >= g.From })
}

// lastOf is the offset after the last batch that can be found in a segment.
func (l *Log) lastOf(s *segment) int64 {
	l.mu.Lock()
	last, size := s.last, s.size
	l.mu.Unlock()
	if last < 0 && size > 0 && l.loadIndex(s) == nil {
		l.mu.Lock()
		last = s.last
		l.mu.Unlock()
	}
	return max(last, s.base)
}

func (l *Log) hole(offset, next int64) error {
	return &CorruptError{File: l.path(), Byte: -1, Offset: offset, NextOffset: next, Reason: "is missing: its bytes are gone"}
}

// find walks to the batch of s that holds offset, or the first one after it.
// The place has no handle when the segment has none.
func (l *Log) find(s *segment, offset, size int64) (place, record.Header, error) {
	var h record.Header
	if size == 0 {
		return place{}, h, nil
	}
	from, entry := l.lookup(s, offset)
	if entry == notLoaded {
		if err := l.loadIndex(s); err != nil {
			return place{}, h, err
		}
		from, entry = l.lookup(s, offset)
	}
	f, err := l.acquire(s)
	if err != nil {
		return place{}, h, l.readError(s, err)
	}
	r := walk.Get(f.f, from, size)
	defer r.Put()
	next, end := s.base, l.endOfSegment(s) // the offset that comes next, -1 at an index entry; and what all are below
	if entry >= 0 {
		next = -1
	}
	before := int64(-1) // where the last batch begins, of which the header alone was read
	for {
		err := r.Header(&h)
		if before >= 0 && (err != nil || l.misplaced(&h, next, end)) {
			next, err = blame(r, before, next, err)
		}
		if err == io.EOF {
			f.release()
			return place{}, h, nil
		}
		if next < 0 && (err != nil || h.LastOffset() != l.entryOffset(s, entry)) {
			f.release()
			l.distrust(s)
			return l.find(s, offset, size)
		}
		if err != nil || next >= 0 && l.misplaced(&h, next, end) {
			if err = l.stepOver(s, r, &h, offset, max(next, s.base), err); err != nil {
				f.release()
				return place{}, h, err
			}
		}
		if h.LastOffset() >= offset {
			return place{s: s, h: f, at: r.Pos(), first: r.Pos() + int64(h.Size()), after: -1}, h, nil
		}
		before = r.Pos()
		r.Skip(&h)
		next = h.NextOffset()
	}
}

// blame goes back to the batch at byte before, if that is the damaged one where what
// is behind it does not fit: a length that has turned leads astray, past what is well,
// or to the end. It returns the offset that comes at the reader's place, and what is
// wrong there.
func blame(r *walk.Reader, before, next int64, cause error) (int64, error) {
	at := r.Pos()
	r.Move(before)
	var h record.Header
	err := r.Header(&h)
	if err == nil {
		err = r.Check(&h)
	}
	if err != nil {
		return h.BaseOffset, err
	}
	r.Move(at)
	return next, cause
}

// misplaced tells whether a batch can not be the one after next: inside a
// segment, which ends below end, offsets follow each other, but in a log that was
// compacted they may leave some out. No checksum covers them.
func (l *Log) misplaced(h *record.Header, next, end int64) bool {
	return h.BaseOffset < next || h.LastOffset() >= end || h.BaseOffset > next && !l.sparse.Load()
}

// stepOver goes on after a batch that can not be read or has a wrong offset,
// when offset lies beyond the damage; else it says what is wrong. One bad
// header does not hide what comes after it.
func (l *Log) stepOver(s *segment, r *walk.Reader, h *record.Header, offset, next int64, cause error) error {
	bad := &walk.Bad{Byte: r.Pos(), Reason: fmt.Sprintf("has offset %d, want %d", h.BaseOffset, next)}
	if cause != nil && !errors.As(cause, &bad) {
		return l.readError(s, cause)
	}
	ok, err := r.Resync(h, next, l.endOfSegment(s))
	if err != nil {
		return l.readError(s, err)
	}
	if ok && h.BaseOffset <= offset {
		return nil
	}
	e := &CorruptError{File: s.file(layout.Log), Byte: bad.Byte, Offset: offset, NextOffset: l.endOfSegment(s), Reason: bad.Reason}
	if ok {
		e.NextOffset = h.BaseOffset
	}
	return e
}

// notLoaded is lookup's entry when the index does not reach down to offset.
const notLoaded = -2

func (l *Log) lookup(s *segment, offset int64) (int64, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	pos, entry := s.offsets.Floor(offset - s.base)
	if entry < 0 && s.indexFrom > 0 {
		return 0, notLoaded
	}
	return pos, entry
}

func (l *Log) entryOffset(s *segment, entry int) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if entry >= len(s.offsets) {
		return -1
	}
	return s.base + int64(s.offsets[entry].Rel)
}

// distrust drops index files that point where no such batch is, so that the
// next look-up walks.
func (l *Log) distrust(s *segment) {
	l.dir.log.Warn("offset index is wrong and is made again", "file", s.file(layout.Index))
	_ = l.dir.fs.Remove(s.file(layout.Index))
	_ = l.dir.fs.Remove(s.file(layout.Times))
	l.mu.Lock()
	defer l.mu.Unlock()
	s.offsets, s.times, s.indexFrom = nil, nil, s.size
}

// limit is the byte of p's segment up to which a reader bounded by to may read.
func (l *Log) limit(p place, size, nextBase int64, to Position) (int64, error) {
	switch {
	case nextBase >= 0 && to.Offset >= nextBase:
		return size, nil
	case to.Segment == p.s.base && to.Byte >= 0 && !p.s.cleaned:
		return min(to.Byte, size), nil
	case nextBase < 0 && to.Offset == l.End().Offset:
		return size, nil
	}
	q, _, err := l.find(p.s, to.Offset, size)
	if err != nil {
		return 0, err
	}
	if q.h == nil {
		return size, nil
	}
	q.h.release()
	return q.at, nil // where to lies inside a batch, all of it stays out
}

// slice cuts a place to the size asked for and checks what is not trusted any
// more. It takes the place's handle over, unless it fails.
func (l *Log) slice(p place, maxBytes int, minOne bool) (Slice, error) {
	n := min(p.limit-p.at, int64(max(maxBytes, 0)))
	if minOne && n < p.limit-p.at {
		if p.first < 0 {
			p.first = p.limit
			r := walk.Get(p.h.f, p.at, p.limit)
			var h record.Header
			if r.Header(&h) == nil {
				p.first = p.at + int64(h.Size())
			}
			r.Put()
		}
		n = max(n, p.first-p.at)
	}
	good, err := l.verify(&p, p.at+n)
	if err != nil {
		return Slice{}, err
	}
	if good <= p.at {
		p.h.release()
		return Slice{}, nil
	}
	return Slice{Len: int(good - p.at), file: p.h, start: p.at}, nil
}

// readError is a failure of the disk in reading one log: it is that log's
// alone.
func (l *Log) readError(s *segment, err error) error {
	return fmt.Errorf("read %s: %w", s.file(layout.Log), err)
}
