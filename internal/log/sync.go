package log

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
)

// dirtySet is who waits for a sync round: the logs with bytes that a round
// must sync, internal ones apart, and a token for whoever runs the rounds. A
// log is in it at most once (Log.urgent). The mutex is a leaf.
type dirtySet struct {
	mu                 sync.Mutex
	internal, ordinary []*Log
	spare              [2][]*Log // the slices of the round before, to be filled again
	background         []*Log
	closed             []*Log // with closed segments that nothing has synced
	token              chan struct{}
}

func (s *dirtySet) wake() {
	select {
	case s.token <- struct{}{}:
	default:
	}
}

// markUrgent puts a log into the next sync round.
func (d *Dir) markUrgent(l *Log, internal bool) {
	if l.urgent.Load() || !l.urgent.CompareAndSwap(false, true) {
		return
	}
	d.dirty.mu.Lock()
	if internal {
		d.dirty.internal = append(d.dirty.internal, l)
	} else {
		d.dirty.ordinary = append(d.dirty.ordinary, l)
	}
	d.dirty.mu.Unlock()
	d.dirty.wake()
}

// markBackground puts a log among those that Housekeep looks at.
func (d *Dir) markBackground(l *Log) {
	if !l.background.CompareAndSwap(false, true) {
		return
	}
	d.dirty.mu.Lock()
	d.dirty.background = append(d.dirty.background, l)
	d.dirty.mu.Unlock()
}

// markClosed puts a log that rolled among those whose closed segments
// FlushClosed syncs.
func (d *Dir) markClosed(l *Log) {
	if l.cfg.Load().durability() == Fsync || !l.rolled.CompareAndSwap(false, true) {
		return
	}
	d.dirty.mu.Lock()
	d.dirty.closed = append(d.dirty.closed, l)
	d.dirty.mu.Unlock()
}

// takeDirty empties the set.
func (d *Dir) takeDirty() (internal, ordinary []*Log) {
	d.dirty.mu.Lock()
	defer d.dirty.mu.Unlock()
	internal, ordinary = d.dirty.internal, d.dirty.ordinary
	d.dirty.internal, d.dirty.ordinary = d.dirty.spare[0][:0], d.dirty.spare[1][:0]
	d.dirty.spare = [2][]*Log{}
	return internal, ordinary
}

// giveBack keeps the emptied slices for the next round but one.
func (d *Dir) giveBack(internal, ordinary []*Log) {
	clear(internal)
	clear(ordinary)
	d.dirty.mu.Lock()
	d.dirty.spare = [2][]*Log{internal, ordinary}
	d.dirty.mu.Unlock()
}

// Dirty carries a token while something waits for a sync round.
func (d *Dir) Dirty() <-chan struct{} { return d.dirty.token }

// SyncRound makes everything dirty now durable, tells each log's owner as soon
// as its file is down, internal logs first. A failed sync takes the directory
// offline for good. One caller at a time.
func (d *Dir) SyncRound() error {
	d.tick()
	if err := d.Err(); err != nil {
		d.tell()
		return err
	}
	internal, ordinary := d.takeDirty()
	err := d.syncEach(internal)
	if err == nil {
		err = d.syncBatch(ordinary)
	}
	d.giveBack(internal, ordinary)
	d.tell()
	return err
}

// syncBatch syncs many logs the way that is cheaper here and now.
func (d *Dir) syncBatch(logs []*Log) error {
	if len(logs) == 0 {
		return nil
	}
	began := d.o.Now()
	whole := d.ways.Whole(len(logs), began)
	var err error
	if whole {
		err = d.syncWhole(logs)
	} else {
		err = d.syncEach(logs)
	}
	if err == nil {
		d.ways.Learn(whole, len(logs), d.o.Now().Sub(began), began)
	}
	return err
}

func (d *Dir) syncEach(logs []*Log) error {
	for _, l := range logs {
		l.urgent.Store(false) // from here on an append asks for another round
		if l.cfg.Load().durability() != Fsync {
			l.tellDurable() // it was synced by a flush rule or Housekeep
			continue
		}
		if err := l.sync(); err != nil {
			return err
		}
	}
	return nil
}

// syncWhole syncs the file system once and counts for each log what it held
// before that.
func (d *Dir) syncWhole(logs []*Log) error {
	type held struct {
		l *Log
		p pending
	}
	all := make([]held, 0, len(logs))
	for _, l := range logs {
		l.urgent.Store(false)
		all = append(all, held{l, l.pending()})
	}
	if err := d.fs.SyncFS(d.path); err != nil {
		return d.fail(fmt.Errorf("sync the file system of %s: %w", d.path, err))
	}
	for _, h := range all {
		h.l.settle(h.p)
	}
	return nil
}

// pending is what a sync of a log has to cover, taken before it begins.
type pending struct {
	end   Position
	cuts  uint64
	from  int64 // base offset of the first segment with bytes to sync
	dir   bool  // the partition directory is new
	files int64 // segment files made so far
	file  bool  // some of them are not synced into the directory
}

func (l *Log) pending() pending {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pendingTo(l.end)
}

// pendingTo is pending for the bytes below a position. Log.mu is held.
func (l *Log) pendingTo(end Position) pending {
	return pending{end: end, cuts: l.cuts.Load(), from: l.durable.Segment, dir: l.newDir, files: l.made, file: l.made > l.entered}
}

// sync makes everything appended so far durable: data first, oldest segment
// first, then the directory entries that lead to it.
func (l *Log) sync() error {
	p := l.pending()
	if err := l.syncData(p); err != nil {
		return err
	}
	if err := l.syncEntries(p); err != nil {
		return l.dir.fail(err)
	}
	l.settle(p)
	return nil
}

// syncData syncs the segments with bytes between what is durable and p.end.
func (l *Log) syncData(p pending) error {
	l.mu.Lock()
	i, _ := slices.BinarySearchFunc(l.segs, p.from, func(s *segment, base int64) int { return int(min(max(s.base-base, -1), 1)) })
	n := i
	for n < len(l.segs) && (l.segs[n].base < p.end.Segment || l.segs[n].base == p.end.Segment && p.end.Byte != 0) {
		n++
	}
	only := (*segment)(nil)
	var several []*segment
	switch rest := l.segs[min(i, len(l.segs)):n]; len(rest) {
	case 0:
	case 1:
		only = rest[0]
	default:
		several = slices.Clone(rest)
	}
	l.mu.Unlock()
	if only != nil {
		return l.syncFile(only)
	}
	for _, s := range several {
		if err := l.syncFile(s); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) syncFile(s *segment) error {
	h, err := l.acquire(s)
	if err != nil {
		if missing(err) && l.gone(s) {
			return nil // retention or a truncation took it meanwhile
		}
		return l.dir.fail(err)
	}
	err = h.f.Sync()
	h.release()
	if err != nil {
		return l.dir.fail(fmt.Errorf("sync %s: %w", s.file(layout.Log), err))
	}
	return nil
}

// gone tells whether a segment is no part of the log any more.
func (l *Log) gone(s *segment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed || !slices.Contains(l.segs, s)
}

// syncEntries makes the names of new files and directories durable. Without
// that a power cut may leave synced bytes that nothing leads to.
func (l *Log) syncEntries(p pending) error {
	d := l.dir
	if p.dir {
		if err := d.syncOne(l.path() + "/" + checkpoint.PartitionMeta); err != nil && !l.renamed(err) {
			return err
		}
	}
	if p.dir || p.file {
		if err := d.fs.SyncDir(l.path()); err != nil && !l.renamed(err) {
			return fmt.Errorf("sync directory %s: %w", l.path(), err)
		}
	}
	if p.dir {
		if err := d.fs.SyncDir(d.path); err != nil {
			return fmt.Errorf("sync directory %s: %w", d.path, err)
		}
	}
	return nil
}

// renamed tells whether the directory is missing because the log was deleted
// while a round ran.
func (l *Log) renamed(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed && missing(err)
}

func (d *Dir) syncOne(name string) error {
	f, err := d.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil && cerr != nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	return nil
}

// settle counts a finished sync and tells the owner. Where a truncation came
// between, the log stays dirty.
func (l *Log) settle(p pending) {
	at, ok := l.count(p)
	switch {
	case !ok && !l.isClosed():
		l.dir.markUrgent(l, l.cfg.Load().Internal)
	case ok && l.onDurable != nil:
		l.onDurable(at)
	}
}

// count takes a finished sync into what is durable. A truncation that came
// between proves that p.end may be no boundary any more: then nothing counts.
func (l *Log) count(p pending) (Position, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cuts.Load() != p.cuts || l.closed {
		return l.durable, false
	}
	if p.dir {
		l.newDir = false
	}
	l.entered = max(l.entered, p.files)
	if l.durable.Offset < p.end.Offset {
		if p.end.Segment == l.durable.Segment {
			l.dir.grown(p.end.Byte - l.durable.Byte)
		} else {
			l.dir.grown(p.end.Byte)
		}
		l.durable = p.end
		l.changed.Store(true)
	}
	return l.durable, true
}

// tellDurable tells the owner how far the log is durable.
func (l *Log) tellDurable() {
	if l.onDurable != nil && !l.isClosed() {
		l.onDurable(l.Durable())
	}
}

// flushRules heeds flush.messages for logs that no round syncs: so many
// messages, and the append itself syncs, as Kafka does. The owner hears of it
// in the next round, not from inside its own append.
func (l *Log) flushRules(c *Config) {
	if l.flow.dirtyAt.IsZero() {
		l.flow.dirtyAt = l.dir.o.Now()
	}
	if c.FlushMessages <= 0 || l.flow.messages < c.FlushMessages {
		return
	}
	p := l.pending()
	if l.syncData(p) != nil {
		return // the directory is offline; the next call says so
	}
	if err := l.syncEntries(p); err != nil {
		_ = l.dir.fail(err)
		return
	}
	l.flushed(p)
	l.dir.markUrgent(l, c.Internal)
}

// flushed counts a sync that the writer itself or Housekeep did.
func (l *Log) flushed(p pending) {
	l.flow.messages, l.flow.dirtyAt = 0, time.Time{}
	l.count(p)
}

// FlushClosed syncs the closed segments of logs that no round syncs, as Kafka
// does after a roll: it is what moves the recovery point of a log with
// durability=memory, so that a restart walks its active segment alone. It is a
// step of its own, since a large segment takes its time; no writer waits for it.
func (d *Dir) FlushClosed() error {
	if err := d.Err(); err != nil {
		d.tell()
		return err
	}
	d.dirty.mu.Lock()
	logs := d.dirty.closed
	d.dirty.closed = nil
	d.dirty.mu.Unlock()
	for _, l := range logs {
		l.rolled.Store(false) // from here on a roll asks for another one
		if err := l.syncClosed(); err != nil {
			d.tell()
			return err
		}
	}
	return nil
}

// syncClosed makes everything below the active segment durable.
func (l *Log) syncClosed() error {
	l.mu.Lock()
	s := l.active()
	if l.closed || s == nil || l.durable.Offset >= s.base {
		l.mu.Unlock()
		return nil
	}
	p := l.pendingTo(Position{s.base, s.base, 0})
	l.mu.Unlock()
	if err := l.syncData(p); err != nil {
		return err
	}
	if err := l.syncEntries(p); err != nil {
		return l.dir.fail(err)
	}
	if _, ok := l.count(p); !ok {
		if !l.isClosed() {
			l.dir.markClosed(l) // the log was cut meanwhile
		}
		return nil
	}
	l.dir.markUrgent(l, l.cfg.Load().Internal) // the next round tells the owner
	return nil
}

// Sync makes everything appended so far durable before it returns, in the
// caller's goroutine and beside any sync round: for a writer who answers for
// one log and does not queue behind others (the metadata quorum). A failure
// is final for the directory, as in a round. Writers of this log are held off
// by the caller; OnDurable is called as in a round.
func (l *Log) Sync() error {
	if err := l.alive(); err != nil {
		return err
	}
	return l.sync()
}
