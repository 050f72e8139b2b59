package log

import (
	"errors"
	"fmt"
	"math"
	"os"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/derive"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

// Append writes one batch, whose base offset (at least End().Offset) and
// leader epoch are set already, applies it to the producer state and the epoch
// cache, and returns the end after it. b is borrowed until return. It rolls
// the segment first where a limit asks for it. On ErrDiskFull nothing was
// appended and the log goes on; any other error is final for the directory,
// but for a batch that does not fit the log (a bug of the caller), which
// changes nothing.
func (l *Log) Append(h *record.Header, b []byte) (Position, error) {
	l.w.Lock()
	defer l.w.Unlock()
	c := l.cfg.Load()
	if err := l.admit(c, h, len(b)); err != nil {
		return l.end, err
	}
	s, err := l.ready(c, h, len(b))
	if err != nil {
		return l.end, err
	}
	at := s.size
	if _, err := s.handle.f.WriteAt(b, at); err != nil {
		if !vfs.NoSpace(err) || !l.useReserve(c) {
			return l.end, l.undo(s, err)
		}
		if _, err = s.handle.f.WriteAt(b, at); err != nil {
			return l.end, l.undo(s, err)
		}
	}
	if err := l.note(c, s, h, b); err != nil {
		return l.end, l.undo(s, err)
	}
	return l.after(c), nil
}

// AppendMany writes several batches in order with one write where it can.
// When it fails after some were written, the returned position tells how far
// the log came.
func (l *Log) AppendMany(hs []record.Header, bs [][]byte) (Position, error) {
	l.w.Lock()
	defer l.w.Unlock()
	c := l.cfg.Load()
	before := l.end
	err := l.appendRuns(c, hs, bs)
	if l.end != before {
		l.after(c)
	}
	return l.end, err
}

// appendRuns writes the batches in runs that fit one segment.
func (l *Log) appendRuns(c *Config, hs []record.Header, bs [][]byte) error {
	for len(hs) > 0 {
		if err := l.admit(c, &hs[0], len(bs[0])); err != nil {
			return err
		}
		s, err := l.ready(c, &hs[0], len(bs[0]))
		if err != nil {
			return err
		}
		n := l.run(c, s, hs, bs)
		if err := l.writeRun(c, s, hs[:n], bs[:n]); err != nil {
			return err
		}
		hs, bs = hs[n:], bs[n:]
	}
	return nil
}

// run tells how many of the batches go into s with one write.
func (l *Log) run(c *Config, s *segment, hs []record.Header, bs [][]byte) int {
	n, size, next := 1, s.size+int64(len(bs[0])), hs[0].NextOffset()
	for n < len(hs) && hs[n].BaseOffset == next && len(bs[n]) == hs[n].Size() && size+int64(len(bs[n])) <= c.SegmentBytes &&
		hs[n].LastOffset()-s.base <= math.MaxInt32 && !l.aged(c, s, &hs[n]) {
		size += int64(len(bs[n]))
		next = hs[n].NextOffset()
		n++
	}
	return n
}

func (l *Log) writeRun(c *Config, s *segment, hs []record.Header, bs [][]byte) error {
	at := s.size
	if _, err := s.handle.f.WritevAt(bs, at); err != nil {
		if !vfs.NoSpace(err) || !l.useReserve(c) {
			return l.undo(s, err)
		}
		if _, err = s.handle.f.WritevAt(bs, at); err != nil {
			return l.undo(s, err)
		}
	}
	for i := range hs {
		if err := l.note(c, s, &hs[i], bs[i]); err != nil {
			return l.undo(s, err)
		}
	}
	return nil
}

// admit tells whether a batch may be appended now.
func (l *Log) admit(c *Config, h *record.Header, size int) error {
	if err := l.alive(); err != nil {
		return err
	}
	if h.BaseOffset < l.end.Offset || size != h.Size() || h.LastOffsetDelta < 0 {
		return fmt.Errorf("append to %s: batch of %d bytes at offset %d (last offset delta %d) does not fit the log end offset %d", l.name, size, h.BaseOffset, h.LastOffsetDelta, l.end.Offset)
	}
	if !c.Internal && !l.dir.room.Admit(int64(size)) {
		return fmt.Errorf("append to %s: %w", l.name, ErrDiskFull)
	}
	return nil
}

// ready makes sure that there is an open segment that takes the batch.
func (l *Log) ready(c *Config, h *record.Header, size int) (*segment, error) {
	s := l.active()
	if s == nil {
		if err := l.makeDir(); err != nil {
			return nil, l.refuse(c, err)
		}
	}
	if s == nil || l.full(c, s, h, size) {
		if err := l.roll(h.BaseOffset); err != nil {
			// A roll for size or age can wait when there is no room for a
			// new file; one that the format asks for can not.
			if l.active() == nil || !soft(err) || l.mustRoll(c, s, h, size) {
				return nil, l.refuse(c, err)
			}
		}
		s = l.active()
	}
	if err := l.pin(s); err != nil {
		return nil, l.refuse(c, err)
	}
	return s, nil
}

// note takes a written batch into everything that is known about the log and
// makes it readable.
func (l *Log) note(c *Config, s *segment, h *record.Header, b []byte) error {
	if h.ProducerID >= 0 {
		a, ok, err := l.Producers().Apply(h, b)
		if err != nil {
			return fmt.Errorf("append to %s at offset %d: %w", l.name, h.BaseOffset, err)
		}
		if ok {
			l.mu.Lock()
			l.addAborted(s, a)
			l.mu.Unlock()
		}
	}
	if latest, ok := l.epochs.Latest(); !ok || h.LeaderEpoch > latest.Epoch {
		l.epochs.Assign(h.LeaderEpoch, h.BaseOffset)
	} else if h.LeaderEpoch < latest.Epoch && !l.loose.Load() {
		l.loose.Store(true)
	}
	now := uint32(0)
	if l.dir.o.VerifyAge > 0 {
		now = l.dir.coarse.Load()
	}
	l.mu.Lock()
	l.extend(c, s, h, now)
	l.end = Position{h.NextOffset(), s.base, s.size}
	l.tail.Push(h.NextOffset(), s.size)
	l.mu.Unlock()
	l.flow.messages += int64(h.LastOffsetDelta) + 1
	l.flow.bytes += int64(h.Size())
	return nil
}

// extend adds a batch at the end of a segment to its indexes; Log.mu is held.
func (l *Log) extend(c *Config, s *segment, h *record.Header, now uint32) {
	if ms := derive.TimeOf(h); ms > s.maxMs {
		s.maxMs, s.maxLast = ms, h.LastOffset()
	}
	if s.size == 0 {
		s.firstMaxMs = derive.TimeOf(h)
	}
	if s.sinceIndex > c.IndexIntervalBytes {
		s.offsets = append(s.offsets, index.Offset{Rel: int32(h.LastOffset() - s.base), Pos: int32(s.size)})
		if s.maxMs >= 0 {
			s.times = s.times.Add(index.Time{TimestampMs: s.maxMs, Rel: int32(s.maxLast - s.base)})
		}
		s.sinceIndex = 0
	}
	s.sinceIndex += int64(h.Size())
	from := s.size
	s.size += int64(h.Size())
	s.last = h.NextOffset()
	if now > 0 {
		s.trustWritten(from, s.size, now)
	}
}

// after does what follows an append: a mark for the checkpoint if one waits,
// and the log into the set that the next sync round takes.
func (l *Log) after(c *Config) Position {
	if l.wantMark.Load() {
		l.takeMark()
	}
	if !l.changed.Load() {
		l.changed.Store(true)
	}
	if c.durability() == Fsync {
		l.dir.markUrgent(l, c.Internal)
	} else {
		l.flushRules(c)
	}
	if !l.background.Load() {
		l.dir.markBackground(l)
	}
	return l.end
}

// undo takes back what a failed write may have left behind the end. When that
// works and the disk was merely full, the log goes on.
func (l *Log) undo(s *segment, cause error) error {
	if err := takeBack(s); err != nil {
		return l.dir.fail(fmt.Errorf("take back a failed write to %s: %w", s.file(layout.Log), err))
	}
	if bad := (*record.Error)(nil); errors.As(cause, &bad) {
		return cause // a batch that the producer state can not read: not the disk's fault
	}
	return l.refuse(l.cfg.Load(), fmt.Errorf("write to %s: %w", s.file(layout.Log), cause))
}

// takeBack cuts off what a failed write left behind the last batch. The cut is
// synced at once: the next batch may go to another segment, nothing would sync
// this one again, and a power cut could leave the rest of the write in it.
func takeBack(s *segment) error {
	size, err := s.handle.f.Size()
	if err != nil || size == s.size {
		return err
	}
	if err := s.handle.f.Truncate(s.size); err != nil {
		return err
	}
	s.allocated = s.size
	return s.handle.f.Sync()
}

// refuse sorts an error of the write path: no room passes, the rest is final.
func (l *Log) refuse(c *Config, err error) error {
	if !soft(err) {
		return l.dir.fail(err)
	}
	if vfs.NoSpace(err) {
		l.dir.room.Full()
	}
	return fmt.Errorf("%w: %w", ErrDiskFull, err)
}

// useReserve gives an internal log that found no room that of the reserve. It
// tells whether there is a point in trying again.
func (l *Log) useReserve(c *Config) bool { return c.Internal && l.dir.room.Use(l.name) }

// makeDir makes the log's directory before its first segment. What it makes is
// synced before the first batch counts.
func (l *Log) makeDir() error {
	d := l.dir
	d.mu.Lock()
	known := d.onDisk[l.name]
	d.mu.Unlock()
	if known {
		return nil
	}
	if err := d.fs.MkdirAll(l.path(), 0o755); err != nil {
		return fmt.Errorf("make %s: %w", l.path(), err)
	}
	if err := checkpoint.Write(d.fs, l.path(), checkpoint.PartitionMeta, checkpoint.AppendMetadata(nil, l.id.ID), false); err != nil {
		return err
	}
	l.mu.Lock()
	l.newDir = true
	l.mu.Unlock()
	d.mu.Lock()
	d.onDisk[l.name] = true
	d.mu.Unlock()
	return nil
}

// createSegment makes the file of a new segment and opens it.
func (l *Log) createSegment(s *segment) (vfs.File, error) {
	name := s.file(layout.Log)
	f, err := l.dir.open(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	if err == nil && size == 0 {
		return f, nil
	}
	_ = f.Close()
	if err != nil {
		return nil, fmt.Errorf("size of %s: %w", name, err)
	}
	// Bytes where none can be: keep them, out of the way.
	if err := l.dir.fs.Rename(name, layout.FreeName(l.dir.fs, name+layout.Cut)); err != nil {
		return nil, fmt.Errorf("set %s aside: %w", name, err)
	}
	return l.dir.open(name, os.O_RDWR|os.O_CREATE)
}
