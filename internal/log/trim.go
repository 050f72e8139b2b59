package log

import (
	"fmt"
	"time"

	"ottla/internal/log/layout"
	"ottla/internal/log/mark"
	"ottla/internal/log/ring"
	"ottla/internal/producer"
)

// TruncateTo removes everything at or above offset (a follower's truncation).
// Where offset lies inside a batch the whole batch goes. It is durable on
// return: what was cut does not come back.
func (l *Log) TruncateTo(offset int64) error {
	l.w.Lock()
	defer l.w.Unlock()
	if err := l.alive(); err != nil {
		return err
	}
	if offset >= l.end.Offset {
		return nil
	}
	if offset < l.start {
		return fmt.Errorf("truncate %s to %d: %w: the log starts at %d", l.name, offset, ErrOutOfRange, l.start)
	}
	i, at, end, err := l.cutPlace(offset)
	if err != nil {
		return err
	}
	// What is read for it must be well: a producer that a turned bit made up would
	// keep a transaction open for good. One snapshot earlier than need be: Kafka's
	// snapshots hold one batch of each producer, and the batches after it fill the
	// window again.
	state := producer.NewState()
	if err := l.replay(state, l.segs[max(i-1, 0)].base, l.segs[i], at, l.replaySound); err != nil {
		return fmt.Errorf("truncate %s to %d: %w", l.name, offset, err)
	}
	if end < l.start {
		return l.restart(state)
	}
	l.cleaning.lower(end)
	// From here on the checkpoint must not vouch for what goes.
	if err := l.lower(end, i, at); err != nil {
		return err
	}
	if err := l.cutFiles(i, at, end); err != nil {
		return err
	}
	l.epochs.TruncateEnd(end)
	l.producers = state
	l.takeMark() // good when it is durable: earlier segments may not be synced yet
	if err := l.dir.putAndPersist(l); err != nil {
		return l.dir.fail(err)
	}
	l.dir.markBackground(l)
	return nil
}

// cutPlace finds the segment, the byte and the offset where the log ends after
// the truncation.
func (l *Log) cutPlace(offset int64) (i int, at, end int64, err error) {
	i = l.floorSegment(offset)
	if i < 0 {
		return 0, 0, l.segs[0].base, nil
	}
	s := l.segs[i]
	p, h, err := l.find(s, offset, s.size)
	if err != nil {
		return 0, 0, 0, err
	}
	if p.h == nil {
		return i, s.size, offset, nil
	}
	p.h.release()
	return i, p.at, max(min(offset, h.BaseOffset), s.base), nil
}

// restart empties the log: the batch that holds the log start offset itself
// goes. It begins again at its start, in a new segment; state is that of the producers
// there.
func (l *Log) restart(state *producer.State) error {
	l.cleaning.lower(l.start)
	l.producers = state
	if err := l.empty(); err != nil {
		return err
	}
	if err := l.roll(l.end.Offset); err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	return nil
}

// lower writes a checkpoint whose recovery point and state lie at the place of
// the cut at most.
func (l *Log) lower(end int64, i int, at int64) error {
	s := l.segs[i]
	pos := Position{end, s.base, at}
	l.mu.Lock()
	if l.durable.Offset > end {
		l.durable = pos
	}
	l.marks.Cut(end, mark.At(l.segs[0].base, l.segs[0].createdMs, nil)) // with none left a restart walks the log
	l.dropGaps(end)                                                     // else a segment that a power cut brings back would pass for rightly there
	l.mu.Unlock()
	if err := l.dir.putAndPersist(l); err != nil {
		l.after(l.cfg.Load()) // nothing is cut: what is above the place counts again after the next sync
		return l.refuse(l.cfg.Load(), err)
	}
	return nil
}

// cutFiles removes the segments after i, newest first, and cuts i at byte at.
func (l *Log) cutFiles(i int, at, end int64) error {
	l.unpin()
	l.mu.Lock()
	gone := l.segs[i+1:]
	s := l.segs[i]
	l.segs = l.segs[: i+1 : i+1]
	for n := len(l.aborting); n > 0 && l.aborting[n-1].base > s.base; n-- {
		l.aborting = l.aborting[:n-1]
	}
	// Readers that begin now must not go where the file is about to end.
	s.size, l.end = at, Position{end, s.base, at}
	if l.tail != nil {
		l.tail.Reset(end, at)
	}
	l.cuts.Add(1)
	l.mu.Unlock()
	for j := len(gone) - 1; j >= 0; j-- {
		if err := l.removeSegment(gone[j]); err != nil {
			return err
		}
	}
	if err := l.pin(s); err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	err := l.removeIndexes(s)
	if err == nil {
		err = s.handle.f.Truncate(at)
	}
	if err == nil {
		err = s.handle.f.Sync()
	}
	if err == nil {
		err = l.dir.fs.SyncDir(l.path())
	}
	if err != nil {
		return l.dir.fail(fmt.Errorf("truncate %s: %w", s.file(layout.Log), err))
	}
	return l.shrink(s, at)
}

// removeIndexes takes away the index files of a segment that is cut: they name
// batches that other ones will replace.
func (l *Log) removeIndexes(s *segment) error {
	for _, suffix := range []string{layout.Index, layout.Times} {
		if err := l.dir.fs.Remove(s.file(suffix)); err != nil && !missing(err) {
			return err
		}
	}
	return nil
}

// shrink makes what is known about the active segment s that of one that ends
// at byte at.
func (l *Log) shrink(s *segment, at int64) error {
	entries, err := l.abortedOf(s)
	if err != nil {
		return err
	}
	end := l.offsetAt(s, at)
	l.mu.Lock()
	s.size, s.allocated, s.unfinished = at, at, false
	s.offsets, s.times, s.indexFrom = nil, nil, at
	s.last, s.maxKnown = -1, at == 0
	s.maxMs, s.maxLast = -1, -1
	s.sinceIndex = 0
	if at == 0 {
		s.firstMaxMs, s.last = -1, s.base
	}
	n := 0
	for n < len(entries) && entries[n].LastOffset < end {
		n++
	}
	if n < len(entries) {
		s.aborted, s.savedTxns = entries[:n:n], -1
	}
	l.end = Position{end, s.base, at}
	l.dropGaps(end)
	if l.tail == nil {
		l.tail = new(ring.Tail)
	}
	l.tail.Reset(end, at)
	if l.durable.Offset > end || l.durable.Segment > s.base {
		l.durable = l.end
	}
	l.mu.Unlock()
	// A stale entry in the file would count once the log has grown past it.
	if n < len(entries) {
		if err := l.saveAborted1(s); err != nil {
			return l.refuse(l.cfg.Load(), err)
		}
	}
	if at > 0 {
		return l.loadIndex(s)
	}
	return nil
}

// removeSegment takes a truncated segment's files away at once: they must not
// come back.
func (l *Log) removeSegment(s *segment) error {
	l.mu.Lock()
	h := s.handle
	s.handle = nil
	l.mu.Unlock()
	if h != nil {
		h.release()
	}
	for _, suffix := range segmentSuffixes {
		if err := l.dir.fs.Remove(s.file(suffix)); err != nil && !missing(err) {
			return l.dir.fail(fmt.Errorf("remove %s: %w", s.file(suffix), err))
		}
	}
	return nil
}

// segmentSuffixes are a segment's files, the log first: without it the others
// mean nothing.
var segmentSuffixes = []string{layout.Log, layout.Index, layout.Times, layout.Aborted, layout.Snapshot, layout.Gap}

// AdvanceStart raises the log start offset (DeleteRecords); durable on return.
// Segments wholly below it go with the next Retain.
func (l *Log) AdvanceStart(offset int64) error {
	l.w.Lock()
	defer l.w.Unlock()
	if err := l.alive(); err != nil {
		return err
	}
	if offset > l.end.Offset {
		return fmt.Errorf("advance the start of %s to %d: %w: the log ends at %d", l.name, offset, ErrOutOfRange, l.end.Offset)
	}
	return l.advance(offset)
}

// advance raises the log start offset and writes it down. Log.w is held.
func (l *Log) advance(offset int64) error {
	l.mu.Lock()
	if offset <= l.start {
		l.mu.Unlock()
		return nil
	}
	before := l.start
	l.start = offset
	l.mu.Unlock()
	if err := l.dir.putAndPersist(l); err != nil {
		if soft(err) {
			l.mu.Lock()
			l.start = before
			l.mu.Unlock()
			l.changed.Store(true)
		}
		return l.refuse(l.cfg.Load(), err)
	}
	if l.producers != nil {
		l.producers.TruncateStart(offset)
	}
	l.epochs.TruncateStart(offset)
	return nil
}

// Retain deletes whole segments by age and size, never at or above committed,
// and those below the log start offset. As in Kafka the active segment goes
// too when all of it is due; another is begun first.
func (l *Log) Retain(committed int64) (segments int, err error) {
	l.w.Lock()
	defer l.w.Unlock()
	if err := l.alive(); err != nil {
		return 0, err
	}
	n, err := l.due(l.cfg.Load(), committed)
	if err != nil || n == 0 {
		return 0, err
	}
	if n == len(l.segs) {
		if err := l.roll(l.end.Offset); err != nil {
			return 0, l.refuse(l.cfg.Load(), err)
		}
	}
	if err := l.dropFirst(n); err != nil {
		return 0, err
	}
	return n, nil
}

// due counts the segments, from the oldest on, that retention takes.
func (l *Log) due(c *Config, committed int64) (int, error) {
	now := l.dir.o.Now()
	excess := int64(0)
	if c.Delete && c.RetentionBytes > 0 {
		excess = l.Size() - c.RetentionBytes
	}
	n := 0
	for i, s := range l.segs {
		next := l.end.Offset
		if i+1 < len(l.segs) {
			next = l.segs[i+1].base
		} else if s.size == 0 {
			break
		}
		if next > committed {
			break
		}
		below := i+1 < len(l.segs) && next <= l.start
		big := c.Delete && c.RetentionBytes > 0 && excess-s.size >= 0
		old := false
		if !below && !big && c.Delete && c.RetentionAge > 0 {
			ms, _, err := l.maxOf(s)
			if err != nil {
				return n, err
			}
			if ms < 0 {
				ms = s.createdMs
			}
			old = now.Sub(time.UnixMilli(ms)) > c.RetentionAge
		}
		if !below && !big && !old {
			break
		}
		excess -= s.size
		n++
	}
	return n, nil
}

// dropFirst deletes the n oldest segments: first the log start offset moves,
// durably, then the files are renamed, and removed after the delay. So a crash
// in between leaves files that are below the start, never a hole.
func (l *Log) dropFirst(n int) error {
	first := l.segs[n]
	l.mu.Lock()
	moved := l.marks.Good(l.durable.Offset).Pos.Segment < first.base
	l.mu.Unlock()
	if moved {
		if err := l.restate(); err != nil {
			return err
		}
	}
	if err := l.advance(max(first.base, l.start)); err != nil {
		return err
	}
	l.mu.Lock()
	gone := l.segs[:n:n]
	l.segs = l.segs[n:]
	l.cuts.Add(1) // a look-up that misses a file now is asked again
	for len(l.aborting) > 0 && l.aborting[0].base < first.base {
		l.aborting = l.aborting[1:]
	}
	for len(l.gaps) > 0 && l.gaps[0].To <= first.base {
		l.gaps = l.gaps[1:]
	}
	l.mu.Unlock()
	due := l.dir.o.Now().Add(l.cfg.Load().FileDeleteDelay)
	for _, s := range gone {
		if err := l.trashSegment(s, due); err != nil {
			return err
		}
	}
	l.changed.Store(true)
	l.dir.markBackground(l)
	return nil
}

// restate moves what a restart goes by to the end of the log, before the
// segment that it lies in goes.
func (l *Log) restate() error {
	if err := l.sync(); err != nil {
		return err
	}
	l.takeMark()
	l.mu.Lock()
	l.marks.Settle()
	l.mu.Unlock()
	return nil
}

// trashSegment renames a deleted segment's files. Readers that have the file
// open go on reading it.
func (l *Log) trashSegment(s *segment, due time.Time) error {
	l.mu.Lock()
	h := s.handle
	s.handle = nil
	l.mu.Unlock()
	if h != nil {
		h.release()
	}
	return l.dir.trashFiles(s.path, due)
}
