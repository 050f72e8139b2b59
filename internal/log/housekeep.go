package log

import (
	"fmt"
	"time"

	"ottla/internal/log/layout"
)

// What Housekeep goes by.
const (
	// backgroundAge and backgroundBytes bound what a log that is not synced
	// before it answers can have unsynced.
	backgroundAge   = 5 * time.Second
	backgroundBytes = 64 << 20

	// A segment is allocated ahead by what the log took between two rounds of
	// Housekeep, within these bounds; less than the least is not worth it.
	aheadLeast = 1 << 20
	aheadMost  = 64 << 20
	// quietRounds without an append close an active segment's file and give
	// back what was allocated ahead.
	quietRounds = 60
)

// Housekeep does the slow chores: allocate ahead, background syncs of
// replicated logs, remove what was deleted, close cold files, mend the reserve
// once there is room again. Once a second is a good pace.
func (d *Dir) Housekeep() error {
	d.tick()
	if err := d.Err(); err != nil {
		d.tell()
		return err
	}
	d.room.Mend()
	d.dirty.mu.Lock()
	logs := d.dirty.background
	d.dirty.background = nil
	d.dirty.mu.Unlock()
	var err error
	for _, l := range logs {
		l.background.Store(false)
		more, cerr := l.chores()
		if more {
			d.markBackground(l)
		}
		if cerr != nil && err == nil {
			err = cerr
		}
	}
	d.trash.Empty(d.fs, d.o.Now(), d.book.Written(), d.log)
	d.tell()
	return err
}

// chores does what one log needs done and tells whether to come again.
func (l *Log) chores() (more bool, err error) {
	l.w.Lock()
	defer l.w.Unlock()
	if l.alive() != nil {
		return false, nil
	}
	if err := l.finishRolled(); err != nil {
		return true, err
	}
	c := l.cfg.Load()
	unsynced, err := l.syncBehind(c)
	if err != nil {
		return true, err
	}
	grew := l.flow.bytes
	l.flow.bytes = 0
	if grew > 0 {
		l.flow.quiet = 0
		return true, l.allocateAhead(c, grew)
	}
	if l.flow.quiet++; l.flow.quiet < quietRounds || unsynced {
		return true, nil
	}
	l.flow.quiet = 0
	return false, l.rest()
}

// syncBehind syncs a replicated log that has enough or old enough unsynced
// bytes, and heeds flush.ms. Memory logs are left alone without it. It tells
// whether something is left to sync.
func (l *Log) syncBehind(c *Config) (unsynced bool, err error) {
	if c.durability() == Fsync || l.flow.dirtyAt.IsZero() {
		return false, nil
	}
	age := l.dir.o.Now().Sub(l.flow.dirtyAt)
	due := c.FlushAge > 0 && age >= c.FlushAge
	if c.durability() == Replicated {
		l.mu.Lock()
		behind := l.end.Byte - l.durable.Byte
		if l.end.Segment != l.durable.Segment {
			behind = backgroundBytes
		}
		l.mu.Unlock()
		due = due || age >= backgroundAge || behind >= backgroundBytes
	}
	if !due {
		return c.durability() == Replicated || c.FlushAge > 0, nil
	}
	p := l.pending()
	if err := l.syncData(p); err != nil {
		return true, err
	}
	if err := l.syncEntries(p); err != nil {
		return true, l.dir.fail(err)
	}
	l.flushed(p)
	l.dir.markUrgent(l, false) // the next round tells the owner
	return false, nil
}

// allocateAhead reserves blocks for about as many bytes as came since the last
// round, so that appends write into blocks that are there.
func (l *Log) allocateAhead(c *Config, grew int64) error {
	s := l.active()
	if s == nil || !l.pinned || grew < aheadLeast/2 {
		return nil
	}
	ahead := min(max(grew, aheadLeast), aheadMost)
	if s.allocated-s.size >= ahead/2 {
		return nil
	}
	from := max(s.allocated, s.size)
	to := min(s.size+ahead, max(c.SegmentBytes, s.size))
	if to <= from {
		return nil
	}
	if err := s.handle.f.Allocate(from, to-from); err != nil {
		if soft(err) {
			return nil // appends will find out if it stays so
		}
		return l.dir.fail(fmt.Errorf("allocate ahead in %s: %w", s.file(layout.Log), err))
	}
	s.allocated = to
	return nil
}

// rest puts a log that nobody writes to at rest: no blocks ahead, no
// descriptor.
func (l *Log) rest() error {
	s := l.active()
	if s == nil || !l.pinned {
		return nil
	}
	if err := l.trim(s); err != nil {
		return err
	}
	if l.Durable().Offset == l.end.Offset {
		l.unpin()
	}
	return nil
}

// trim gives back the blocks allocated beyond the end of a segment whose file
// is open for writing.
func (l *Log) trim(s *segment) error {
	if s.allocated <= s.size {
		return nil
	}
	if err := s.handle.f.Truncate(s.size); err != nil {
		return l.dir.fail(fmt.Errorf("trim %s: %w", s.file(layout.Log), err))
	}
	s.allocated = s.size
	return nil
}
