package log

import (
	"fmt"
)

// StartAt empties the log: it begins again, and ends, at offset. It is for a
// follower that can not go on from where it stands, since its leader has nothing
// there any more. It is durable on return; a crash before that leaves the
// beginning of what was there, or nothing.
func (l *Log) StartAt(offset int64) error {
	l.w.Lock()
	defer l.w.Unlock()
	if err := l.alive(); err != nil {
		return err
	}
	if offset < 0 {
		return fmt.Errorf("start %s at %d: %w", l.name, offset, ErrOutOfRange)
	}
	if len(l.segs) == 0 && offset == l.end.Offset && offset == l.start && !l.lost.Load() {
		return nil
	}
	if err := l.makeDir(); err != nil { // a checkpoint of a log without a directory tells of loss
		return l.refuse(l.cfg.Load(), err)
	}
	if err := l.syncDir(); err != nil {
		return l.dir.fail(err)
	}
	l.cleaning.lower(l.start)
	l.freshProducers()
	if err := l.empty(); err != nil {
		return err
	}
	if err := l.beginAt(offset); err != nil {
		return err
	}
	l.lost.Store(false)
	if err := l.rollAt(offset); err != nil {
		return err
	}
	return l.noteDoubts(doubts{})
}

// empty takes every segment away: first the checkpoint stops to vouch for them,
// then they go, the newest first, so that a crash leaves a beginning. The
// producer state is the caller's. Log.w is held.
func (l *Log) empty() error {
	l.unpin()
	l.mu.Lock()
	gone := l.segs
	l.segs, l.aborting, l.gaps, l.emptied = nil, nil, nil, true
	l.cuts.Add(1)
	l.end = Position{l.start, l.start, 0}
	l.durable = l.end
	l.mu.Unlock()
	l.epochs.TruncateEnd(l.end.Offset)
	l.takeMark()
	l.mu.Lock()
	l.marks.Settle()
	l.mu.Unlock()
	if err := l.dir.putAndPersist(l); err != nil {
		return l.dir.fail(err)
	}
	for j := len(gone) - 1; j >= 0; j-- {
		if err := l.removeSegment(gone[j]); err != nil {
			return err
		}
	}
	if err := l.dir.fs.SyncDir(l.path()); err != nil {
		return l.dir.fail(fmt.Errorf("sync directory %s: %w", l.path(), err))
	}
	return nil
}

// beginAt gives an empty log its offset. Log.w is held.
func (l *Log) beginAt(offset int64) error {
	l.mu.Lock()
	l.start = offset
	l.end = Position{offset, offset, 0}
	l.durable = l.end
	l.mu.Unlock()
	l.epochs.Replace(nil)
	l.takeMark()
	l.mu.Lock()
	l.marks.Settle()
	l.mu.Unlock()
	if err := l.dir.putAndPersist(l); err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	return nil
}

// rollAt makes the first segment of an empty log.
func (l *Log) rollAt(offset int64) error {
	if err := l.roll(offset); err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	return nil
}

// syncDir makes the partition directory durable if it is new.
func (l *Log) syncDir() error {
	p := l.pending()
	if !p.dir {
		return nil
	}
	if err := l.syncEntries(p); err != nil {
		return err
	}
	l.mu.Lock()
	l.newDir = false
	l.mu.Unlock()
	return nil
}
