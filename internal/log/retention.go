package log

import (
	"fmt"
	"time"
)

// segmentSuffixes are a segment's files, the log first: without it the others
// mean nothing.
var segmentSuffixes = []string{suffixLog, suffixIndex, suffixTimes, suffixAborted, suffixSnapshot}

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
	if l.state.pos.Segment < first.base || l.prior.pos.Segment < first.base {
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
	for len(l.aborting) > 0 && l.aborting[0].base < first.base {
		l.aborting = l.aborting[1:]
	}
	for len(l.gaps) > 0 && l.gaps[0] <= first.base {
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
	l.prior = l.state
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

// trashFiles renames a segment's files and notes them for removal.
func (d *Dir) trashFiles(path string, due time.Time) error {
	for _, suffix := range segmentSuffixes {
		name := path + suffix
		err := d.fs.Rename(name, name+suffixDeleted)
		if missing(err) {
			continue
		}
		if err != nil {
			return d.fail(fmt.Errorf("delete %s: %w", name, err))
		}
		d.discard(trash{path: name + suffixDeleted, due: due})
	}
	return nil
}
