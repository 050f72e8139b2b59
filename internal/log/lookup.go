package log

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/producer"
	"ottla/internal/record"
)

// TimeOffset is an answer to a look-up by time.
type TimeOffset struct {
	TimestampMs int64
	Offset      int64
	LeaderEpoch int32
}

// LookupTime finds the first record with a timestamp at or above ms, below to
// and at or above the log start offset.
func (l *Log) LookupTime(ms int64, to Position) (TimeOffset, bool, error) {
	for {
		cuts := l.cutCount()
		t, ok, err := l.lookupTime(ms, to)
		if !l.again(err, cuts) {
			return t, ok, err
		}
	}
}

func (l *Log) lookupTime(ms int64, to Position) (TimeOffset, bool, error) {
	if err := l.alive(); err != nil {
		return TimeOffset{}, false, err
	}
	l.mu.Lock()
	segs := append([]*segment(nil), l.segs...)
	start, to := l.start, Position{Offset: min(to.Offset, l.end.Offset)}
	l.mu.Unlock()
	for i, s := range segs {
		if s.base >= to.Offset {
			break
		}
		if i+1 < len(segs) && segs[i+1].base <= start {
			continue
		}
		found, ok, err := l.lookupSegment(s, ms, start, to.Offset)
		if ok || err != nil {
			return found, ok, err
		}
	}
	return TimeOffset{}, false, nil
}

// lookupSegment looks in one segment, from where the time index says that
// nothing before can match.
func (l *Log) lookupSegment(s *segment, ms, start, to int64) (TimeOffset, bool, error) {
	if err := l.loadIndex(s); err != nil {
		return TimeOffset{}, false, err
	}
	l.mu.Lock()
	if s.maxMs < ms {
		l.mu.Unlock()
		return TimeOffset{}, false, nil
	}
	from := max(start, s.base)
	if t, ok := s.times.Floor(ms); ok {
		from = max(from, s.base+int64(t.Rel))
		if t.TimestampMs < ms {
			from = max(from, s.base+int64(t.Rel)+1)
		}
	}
	size := s.size
	l.mu.Unlock()
	p, _, err := l.find(s, from, size)
	if err != nil || p.h == nil {
		return TimeOffset{}, false, err
	}
	defer p.h.release()
	return l.firstAt(s, p, size, func(h *record.Header) bool { return h.MaxTimestamp >= ms }, ms, max(start, 0), to)
}

// FirstRecord finds the first record of a client at or above offset, below to
// and at or above the log start offset: where offset lies in what compaction
// took, or is a transaction's marker, the next one.
func (l *Log) FirstRecord(offset int64, to Position) (TimeOffset, bool, error) {
	for {
		cuts := l.cutCount()
		t, ok, err := l.firstRecord(offset, to)
		if !l.again(err, cuts) {
			return t, ok, err
		}
	}
}

func (l *Log) firstRecord(offset int64, to Position) (TimeOffset, bool, error) {
	if err := l.alive(); err != nil {
		return TimeOffset{}, false, err
	}
	l.mu.Lock()
	offset = max(offset, l.start)
	end := min(to.Offset, l.end.Offset)
	segs := append([]*segment(nil), l.segs[max(l.floorSegment(offset), 0):]...)
	l.mu.Unlock()
	for _, s := range segs {
		if s.base >= end {
			break
		}
		t, ok, err := l.firstRecordOf(s, offset, end)
		if ok || err != nil {
			return t, ok, err
		}
	}
	return TimeOffset{}, false, nil
}

// firstRecordOf looks in one segment.
func (l *Log) firstRecordOf(s *segment, offset, end int64) (TimeOffset, bool, error) {
	l.mu.Lock()
	size := s.size
	l.mu.Unlock()
	p, _, err := l.find(s, max(offset, s.base), size)
	if err != nil || p.h == nil {
		return TimeOffset{}, false, err
	}
	defer p.h.release()
	clients := func(h *record.Header) bool { return !h.Control() && h.LastOffset() >= offset }
	return l.firstAt(s, p, size, clients, math.MinInt64, offset, end)
}

// firstAt walks batches from p on and, in those that want says may hold it,
// looks for the first record in [start, to) with a timestamp at or above ms.
func (l *Log) firstAt(s *segment, p place, size int64, want func(*record.Header) bool, ms, start, to int64) (TimeOffset, bool, error) {
	r := walk.Get(p.h.f, p.at, size)
	defer r.Put()
	var h record.Header
	for {
		err := r.Header(&h)
		if err == io.EOF || err == nil && h.BaseOffset >= to {
			return TimeOffset{}, false, nil
		}
		if err != nil {
			return TimeOffset{}, false, l.corrupt(s, r, -1, err)
		}
		if want(&h) {
			if err := r.Check(&h); err != nil {
				return TimeOffset{}, false, l.corrupt(s, r, h.BaseOffset, err)
			}
			b, err := r.Batch(&h)
			if err != nil {
				return TimeOffset{}, false, l.readError(s, err)
			}
			if t, ok, err := l.recordAt(&h, b, ms, start, to); ok || err != nil {
				return t, ok, err
			}
		}
		r.Skip(&h)
	}
}

// recordAt finds the record in one batch.
func (l *Log) recordAt(h *record.Header, b []byte, ms, start, to int64) (out TimeOffset, found bool, err error) {
	err = record.Walk(b, l.cfg.Load().MaxDecompressed, func(r *record.Record) bool {
		ts, offset := h.BaseTimestamp+r.TimestampDelta, h.BaseOffset+int64(r.OffsetDelta)
		if h.LogAppendTime() {
			ts = h.MaxTimestamp
		}
		if ts >= ms && offset >= start && offset < to {
			out, found = TimeOffset{ts, offset, h.LeaderEpoch}, true
		}
		return !found
	})
	if err != nil {
		return out, false, fmt.Errorf("read the batch at offset %d of %s: %w", h.BaseOffset, l.name, err)
	}
	return out, found, nil
}

// MaxTime finds the record with the largest timestamp (the first of them).
func (l *Log) MaxTime() (TimeOffset, bool, error) {
	for {
		cuts := l.cutCount()
		t, ok, err := l.maxTime()
		if !l.again(err, cuts) {
			return t, ok, err
		}
	}
}

func (l *Log) maxTime() (TimeOffset, bool, error) {
	if err := l.alive(); err != nil {
		return TimeOffset{}, false, err
	}
	l.mu.Lock()
	segs := append([]*segment(nil), l.segs...)
	start := l.start
	end := l.end.Offset
	l.mu.Unlock()
	var best *segment
	bestMs, bestLast := int64(-1), int64(-1)
	for i, s := range segs {
		if i+1 < len(segs) && segs[i+1].base <= start {
			continue
		}
		ms, last, err := l.maxOf(s)
		if err != nil {
			return TimeOffset{}, false, err
		}
		if ms > bestMs {
			best, bestMs, bestLast = s, ms, last
		}
	}
	if best == nil {
		return TimeOffset{}, false, nil
	}
	l.mu.Lock()
	size := best.size
	l.mu.Unlock()
	p, _, err := l.find(best, max(bestLast, start), size)
	if err != nil || p.h == nil {
		return TimeOffset{}, false, err
	}
	defer p.h.release()
	return l.firstAt(best, p, size, func(h *record.Header) bool { return h.MaxTimestamp >= bestMs }, bestMs, start, end)
}

// maxOf is the largest timestamp of a segment and where it is.
func (l *Log) maxOf(s *segment) (ms, last int64, err error) {
	l.mu.Lock()
	known := s.maxKnown
	l.mu.Unlock()
	if !known {
		if err := l.loadIndex(s); err != nil {
			return -1, -1, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return s.maxMs, s.maxLast, nil
}

// Aborted lists the transaction-index entries whose range meets [from, to),
// ordered by first offset.
func (l *Log) Aborted(from, to int64) ([]producer.Aborted, error) {
	for {
		cuts := l.cutCount()
		out, err := l.abortedIn(from, to)
		if !l.again(err, cuts) {
			return out, err
		}
	}
}

// AbortedIn is Aborted for what a slice holds that was read from offset from on,
// with to as its bound: what begins behind the slice is left out, as far as the
// offset index tells where it ends.
func (l *Log) AbortedIn(s *Slice, from, to int64) ([]producer.Aborted, error) {
	if l.nextAborting(l.floorBase(from)) == nil {
		return nil, nil
	}
	return l.Aborted(from, l.bound(s, from, to))
}

// bound is an offset that everything in a slice lies below, at most to. The
// index is believed only where the batch that it points at is there.
func (l *Log) bound(s *Slice, from, to int64) int64 {
	if s.file == nil {
		return to
	}
	end := s.start + int64(s.Len)
	l.mu.Lock()
	i := l.floorSegment(from)
	if i >= 0 && l.segs[i].handle != s.file && i+1 < len(l.segs) {
		i++ // from lies in what compaction took
	}
	if i < 0 || l.segs[i].handle != s.file {
		l.mu.Unlock()
		return to // a cleaned segment has taken its place
	}
	seg := l.segs[i]
	at, ok := seg.offsets.Above(end)
	if !ok && i+1 < len(l.segs) {
		to = min(to, l.segs[i+1].base)
	}
	l.mu.Unlock()
	if !ok {
		return to
	}
	var head [record.HeaderSize]byte
	if _, err := s.file.f.ReadAt(head[:], int64(at.Pos)); err != nil {
		return to
	}
	if h, err := record.ParseHeader(head[:]); err == nil && h.LastOffset() == seg.base+int64(at.Rel) {
		return min(to, h.BaseOffset)
	}
	return to
}

func (l *Log) abortedIn(from, to int64) ([]producer.Aborted, error) {
	if err := l.alive(); err != nil {
		return nil, err
	}
	var out []producer.Aborted
	for base := l.floorBase(from); ; {
		s := l.nextAborting(base)
		if s == nil {
			break
		}
		entries, err := l.abortedOf(s)
		if err != nil {
			return nil, err
		}
		var enough bool
		if out, enough = meeting(out, entries, from, to); enough {
			break
		}
		base = s.base + 1
	}
	slices.SortFunc(out, func(a, b producer.Aborted) int {
		return cmp.Or(cmp.Compare(a.FirstOffset, b.FirstOffset), cmp.Compare(a.ProducerID, b.ProducerID))
	})
	return out, nil
}

// meeting adds to out the entries of one segment that meet [from, to). They are
// in the order of their markers, so that those before from are passed over at
// once. It tells whether later segments have no more: once everything below to
// was decided, no later entry reaches down to it.
func meeting(out, entries []producer.Aborted, from, to int64) (_ []producer.Aborted, enough bool) {
	first := sort.Search(len(entries), func(i int) bool { return entries[i].LastOffset >= from })
	for _, a := range entries[first:] {
		if a.FirstOffset < to {
			out = append(out, a)
		}
		if a.LastStableOffset >= to {
			return out, true
		}
	}
	return out, false
}

// floorBase is the base of the segment that holds offset.
func (l *Log) floorBase(offset int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := l.floorSegment(offset); i >= 0 {
		return l.segs[i].base
	}
	return offset
}

// addAborted notes an aborted transaction in the active segment; Log.mu is
// held.
func (l *Log) addAborted(s *segment, a producer.Aborted) {
	s.aborted = append(s.aborted, a)
	if !s.hasAborted {
		s.hasAborted = true
		l.aborting = append(l.aborting, s)
	}
}

// nextAborting is the first segment with aborted transactions whose base is
// not below base; nil when there is none.
func (l *Log) nextAborting(base int64) *segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := sort.Search(len(l.aborting), func(i int) bool { return l.aborting[i].base >= base })
	if i == len(l.aborting) {
		return nil
	}
	return l.aborting[i]
}

// abortedOf gives the entries of one segment, from its file or, when that is
// damaged or gone, from the batches.
func (l *Log) abortedOf(s *segment) ([]producer.Aborted, error) {
	l.mu.Lock()
	entries, loaded, size, want := s.aborted, s.abortedLoaded, s.size, s.abortedWant
	l.mu.Unlock()
	if loaded {
		return entries, nil
	}
	b, err := checkpoint.Read(l.dir.fs, s.file(layout.Aborted))
	if err == nil {
		entries, err = index.ParseAborted(b, s.base, math.MaxInt64)
	}
	if err == nil && !s.abortedAsSaved(entries) {
		err = errors.New("it does not hold the entries that the checkpoint knows")
	}
	if missing(err) && want <= 0 {
		entries, err = nil, nil
	}
	if err != nil {
		l.dir.log.Warn("transaction index is made again", "file", s.file(layout.Aborted), "err", err)
		if entries, err = l.rebuildAborted(s, size); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !s.abortedLoaded {
		s.aborted, s.abortedLoaded, s.savedTxns = entries, true, len(entries)
	}
	return s.aborted, nil
}

// rebuildAborted replays a segment on the producer state that stood before it.
func (l *Log) rebuildAborted(s *segment, size int64) ([]producer.Aborted, error) {
	state := producer.NewState()
	var out []producer.Aborted
	err := l.replay(state, s.base, s, size, func(state *producer.State, each *segment, to int64) error {
		tell := func(producer.Aborted) {}
		if each == s {
			tell = func(a producer.Aborted) { out = append(out, a) }
		}
		return l.replaySegment(state, each, to, tell)
	})
	return out, err
}
