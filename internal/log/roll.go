package log

import (
	"errors"
	"hash/fnv"
	"math"
	"slices"
	"syscall"
	"time"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/log/ring"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

// full tells whether s must be closed before the batch: by size, age, a full
// index, offsets that do not fit 32 bits, or a gap in a log that has none.
func (l *Log) full(c *Config, s *segment, h *record.Header, size int) bool {
	if h.LastOffset()-s.base > math.MaxInt32 {
		return true
	}
	if s.size == 0 {
		// A gap for which there was no room may have left it above the end.
		return h.BaseOffset < s.base || h.BaseOffset != l.end.Offset && h.BaseOffset != s.base && !l.sparse.Load()
	}
	return s.size+int64(size) > c.SegmentBytes || l.aged(c, s, h) || l.indexFull(c, s) ||
		l.gap(h)
}

// mustRoll tells whether going on in s would break the format.
func (l *Log) mustRoll(c *Config, s *segment, h *record.Header, size int) bool {
	return h.LastOffset()-s.base > math.MaxInt32 || s.size+int64(size) > maxSegmentBytes || l.gap(h) || h.BaseOffset < s.base
}

// gap tells whether offsets are left out before the batch. In a log that is
// not compacted such a batch begins a segment of its own, so that inside a
// segment every missing offset is a fault that recovery can see.
func (l *Log) gap(h *record.Header) bool {
	return h.BaseOffset != l.end.Offset && !l.sparse.Load()
}

// aged tells whether the segment is older than segment.ms allows, measured as
// Kafka does: by the time of the batch against the first one's, or by the
// clock where the records carry no time.
func (l *Log) aged(c *Config, s *segment, h *record.Header) bool {
	if c.SegmentAge <= 0 || s.size == 0 {
		return false
	}
	waited := time.Duration(0)
	if s.firstMaxMs >= 0 {
		waited = time.Duration(h.MaxTimestamp-s.firstMaxMs) * time.Millisecond
	} else {
		waited = l.dir.o.Now().Sub(time.UnixMilli(s.createdMs))
	}
	return waited > c.SegmentAge-l.jitter(c, s.base)
}

// jitter spreads the rolls of many partitions over segment.jitter.ms; it is
// drawn from the log's name, so it is the same after a restart.
func (l *Log) jitter(c *Config, base int64) time.Duration {
	span := min(c.SegmentJitter, c.SegmentAge)
	if span <= 0 {
		return 0
	}
	f := fnv.New64a()
	_, _ = f.Write([]byte(l.name))
	_, _ = f.Write([]byte{byte(base), byte(base >> 8), byte(base >> 16), byte(base >> 24)})
	return time.Duration(f.Sum64() % uint64(span))
}

// indexFull tells whether an index has as many entries as segment.index.bytes
// allows; the time index keeps one place for its closing entry.
func (l *Log) indexFull(c *Config, s *segment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(s.offsets)) >= c.IndexBytes/index.OffsetSize || int64(len(s.times)) >= c.IndexBytes/index.TimeSize-1
}

// Roll closes the active segment and starts another. An empty active segment
// stays.
func (l *Log) Roll() error {
	l.w.Lock()
	defer l.w.Unlock()
	if err := l.alive(); err != nil {
		return err
	}
	s := l.active()
	if s == nil || s.size == 0 {
		return nil
	}
	if err := l.roll(l.end.Offset); err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	l.dir.markBackground(l)
	return nil
}

// roll makes a new active segment with the given base offset. The old one's
// indexes and the producer snapshot are written by finish, later: all of them
// can be derived again, so an append does not wait for them. Log.w is held.
func (l *Log) roll(base int64) error {
	old := l.active()
	if old != nil && old.size == 0 {
		if old.base == base {
			return nil
		}
		return l.replaceEmpty(old, base)
	}
	if err := l.writeDown(old, base); err != nil {
		return err
	}
	s := newSegment(l.path(), base)
	s.createdMs = l.dir.o.Now().UnixMilli()
	f, err := l.createSegment(s)
	if err != nil {
		return err
	}
	if old != nil {
		old.unfinished = true
		l.dir.markClosed(l)
		s.snapshotted = l.snapshotFile()
	}
	l.activate(old, s, f)
	l.markRoll(s)
	return nil
}

// writeDown makes durable what must be known before there is a segment at base:
// a gap before it, that there is none after all, a first offset above 0.
func (l *Log) writeDown(old *segment, base int64) error {
	if old != nil && base > l.end.Offset && !l.sparse.Load() {
		if err := l.settleGap(base); err != nil {
			return err
		}
	}
	if err := l.begin(base); err != nil {
		return err
	}
	if err := l.unmarkGap(base, old == nil || base == l.end.Offset); err != nil {
		return err
	}
	return l.freshGaps()
}

// activate makes s, with its file f, the active segment after old.
func (l *Log) activate(old, s *segment, f vfs.File) {
	l.mu.Lock()
	// The old file stays open in the cache, so that its sync sees every
	// write error through the descriptor that wrote.
	var keep cached
	if old != nil && l.pinned {
		keep = cached{l, old, old.handle}
	}
	h := &handle{f: f}
	h.refs.Store(1)
	s.handle, l.pinned = h, true
	l.segs = append(l.segs, s)
	l.made++
	if l.tail == nil {
		l.tail = new(ring.Tail)
	}
	l.tail.Reset(s.base, 0)
	if l.end.Offset == s.base {
		l.end = Position{s.base, s.base, 0}
	}
	l.mu.Unlock()
	if keep.h != nil {
		if out, full := l.dir.cache.add(keep); full {
			out.drop()
		}
	}
}

// settleGap writes down that there is a gap before base, before there is a
// segment that begins after it: a gap that nothing tells of is loss. A file
// says so, besides the checkpoint, which may be older than the gap.
func (l *Log) settleGap(base int64) error {
	gap := checkpoint.Gap{From: l.end.Offset, To: base}
	for _, g := range l.gaps { // an empty segment was put in between and is gone again
		if g.To == gap.From && l.active().base != g.To {
			gap.From = g.From
		}
	}
	if slices.Contains(l.gaps, gap) {
		return nil
	}
	if err := l.sync(); err != nil {
		return err
	}
	if err := checkpoint.Write(l.dir.fs, l.path(), layout.FileName(base, layout.Gap), checkpoint.AppendGap(nil, gap), true); err != nil {
		return err
	}
	l.mu.Lock()
	l.gaps = append(l.gaps, gap)
	l.mu.Unlock()
	return l.dir.putAndPersist(l)
}

// unmarkGap takes back a gap that was written down before base when there is none
// after all.
func (l *Log) unmarkGap(base int64, none bool) error {
	if !none || !l.gapBefore(math.MaxInt64, base) {
		return nil
	}
	err := l.dir.fs.Remove(l.path() + "/" + layout.FileName(base, layout.Gap))
	if err == nil {
		err = l.dir.fs.SyncDir(l.path())
	}
	if err != nil && !missing(err) {
		return err
	}
	l.mu.Lock()
	l.dropGaps(base - 1)
	l.mu.Unlock()
	return nil
}

// dropGaps forgets gaps above end: they were noted for segments that never came
// or are gone again. Log.mu is held.
func (l *Log) dropGaps(end int64) {
	kept := slices.DeleteFunc(slices.Clone(l.gaps), func(g checkpoint.Gap) bool { return g.To > end })
	if len(kept) < len(l.gaps) {
		l.gaps, l.gapsStale = kept, true
	}
}

// freshGaps rewrites a checkpoint that still has gaps that were forgotten, before
// a segment is made at the place of one: what a power cut took before it would
// pass for a gap.
func (l *Log) freshGaps() error {
	if !l.gapsStale {
		return nil
	}
	if err := l.dir.putAndPersist(l); err != nil {
		return err
	}
	l.gapsStale = false
	return nil
}

// begin gives a log that never held anything its first offset, durably: without
// that a log that begins above its start has lost its beginning.
func (l *Log) begin(base int64) error {
	l.mu.Lock()
	if len(l.segs) > 0 || l.end.Offset != l.start || l.start >= base {
		l.mu.Unlock()
		return nil
	}
	l.start = base
	l.end = Position{base, base, 0}
	l.durable = l.end
	l.mu.Unlock()
	return l.dir.putAndPersist(l)
}

// replaceEmpty puts a segment with another base in the place of an empty one:
// the first batch lies too far ahead of it.
func (l *Log) replaceEmpty(old *segment, base int64) error {
	l.mu.Lock()
	l.segs = l.segs[:len(l.segs)-1]
	h := old.handle
	old.handle, l.pinned = nil, false
	if s := l.active(); s != nil {
		// Should there be no room for the new one, the log ends in the one before.
		l.end = Position{l.end.Offset, s.base, s.size}
		if l.durable.Segment == old.base {
			l.durable = l.end
		}
		l.tail.Reset(l.end.Offset, s.size)
	}
	l.mu.Unlock()
	if h != nil {
		h.release()
	}
	if err := l.dir.fs.Remove(old.file(layout.Log)); err != nil && !missing(err) {
		return err
	}
	return l.roll(base)
}

// soft tells whether an error of the file system passes: no room, or no
// descriptors. A failed sync never does.
func soft(err error) bool {
	if errors.As(err, new(*checkpoint.SyncError)) {
		return false
	}
	return vfs.NoSpace(err) || noDescriptors(err)
}

// noDescriptors tells that there was none to be had; nothing was done then.
func noDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
