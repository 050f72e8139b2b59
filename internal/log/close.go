package log

import (
	"errors"
	"fmt"
	"os"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
)

// Close closes the log: everything is synced, its indexes are written and its
// file is cut to size, and the checkpoint knows its end. Slices that are held
// stay readable.
func (l *Log) Close() error {
	err := l.shut()
	d := l.dir
	d.mu.Lock()
	if d.logs[l.name] == l {
		delete(d.logs, l.name)
	}
	d.mu.Unlock()
	return err
}

// shut writes what a closed log leaves behind and lets its files go.
func (l *Log) shut() error {
	defer l.cleaning.halt()()
	l.w.Lock()
	defer l.w.Unlock()
	if l.isClosed() {
		return nil
	}
	var err error
	if err = l.dir.Err(); err == nil {
		err = l.settleAll()
	}
	l.release()
	return err
}

func (l *Log) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// smallAtStop is up to what size the last segment gets no index files, snapshot
// and epoch file at a clean stop: the checkpoint has what a restart needs, a walk
// of so few bytes is one read, and making four files in each of some thousand
// directories is what a stop would wait for.
const smallAtStop = 1 << 20

// settleAll makes the log what a clean stop leaves. Log.w is held.
func (l *Log) settleAll() error {
	s := l.active()
	if s == nil {
		return l.dir.putEntry(l)
	}
	if l.Durable() != l.End() {
		if err := l.sync(); err != nil {
			return err
		}
	}
	if l.pinned {
		if err := l.trim(s); err != nil {
			return err
		}
	}
	if err := l.finishRolled(); err != nil {
		return err
	}
	if s.size > smallAtStop && l.dirtyIndex(s) {
		if err := l.finish(s); err != nil {
			return err
		}
		if err := l.writeFile(l.end.Offset, layout.Snapshot, l.snapshotFile()); err != nil {
			return err
		}
	}
	if Position(l.marks.Newest().Pos) != l.end {
		l.takeMark()
	}
	if err := l.dir.putEntry(l); err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	return nil
}

// dirtyIndex tells whether the active segment got batches since it was opened:
// otherwise its index files are as good as they were.
func (l *Log) dirtyIndex(s *segment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return s.size > s.ownFrom || s.unfinished
}

// release lets the log's files go.
func (l *Log) release() {
	l.mu.Lock()
	l.closed = true
	l.pinned = false
	var open []*handle
	for _, s := range l.segs {
		if s.handle != nil {
			open = append(open, s.handle)
			s.handle = nil
		}
	}
	l.mu.Unlock()
	for _, h := range open {
		h.release()
	}
}

// Close is the clean stop: everything synced, indexes cut to size, checkpoint
// and clean-shutdown marker written. Where the directory is offline it only
// lets go.
func (d *Dir) Close(high func(Ident) int64) error {
	logs := d.all()
	var errs []error
	for _, l := range logs {
		if err := l.shut(); err != nil {
			errs = append(errs, err)
		}
	}
	if err := d.Err(); err != nil {
		d.tell()
		return err
	}
	err := errors.Join(errs...)
	if err == nil {
		err = d.writeClean(high)
	}
	d.mu.Lock()
	clear(d.logs)
	d.mu.Unlock()
	return err
}

// writeClean writes what says that the directory was closed cleanly.
func (d *Dir) writeClean(high func(Ident) int64) error {
	if err := d.book.Persist(); err != nil {
		return d.passing(err)
	}
	if err := d.writeText(high, true); err != nil {
		return d.passing(err)
	}
	if err := d.book.WriteClean(); err != nil {
		return d.passing(err)
	}
	return nil
}

// finishRolled writes the indexes and snapshots of the segments that were
// rolled since, and cuts their files to size. All of it can be derived again,
// so nothing here is synced. Log.w is held.
func (l *Log) finishRolled() error {
	for i, s := range l.segs {
		if b := s.snapshotted; b != nil {
			if err := l.writeFile(s.base, layout.Snapshot, b); err != nil {
				return err
			}
			s.snapshotted = nil
		}
		if !s.unfinished || i == len(l.segs)-1 {
			continue
		}
		if err := l.finish(s); err != nil {
			return err
		}
		l.mu.Lock()
		s.unfinished = false
		l.mu.Unlock()
		l.dropIndex(s)
	}
	return l.saveEpochs()
}

// finish writes the index files of a segment that takes no more batches.
func (l *Log) finish(s *segment) error {
	if err := l.loadIndex(s); err != nil {
		return nil // rot or a failing disk: readers will say so, the rest goes on
	}
	l.mu.Lock()
	offsets, times, maxMs, maxLast := s.offsets, s.times, s.maxMs, s.maxLast
	l.mu.Unlock()
	if s.allocated > s.size {
		if err := l.cutToSize(s); err != nil {
			return err
		}
	}
	if err := l.writeFile(s.base, layout.Index, offsets.Append(nil)); err != nil {
		return err
	}
	if maxMs >= 0 {
		times = times[:len(times):len(times)].Add(index.Time{TimestampMs: maxMs, Rel: int32(maxLast - s.base)})
	}
	if err := l.writeFile(s.base, layout.Times, times.Append(nil)); err != nil {
		return err
	}
	return l.dir.passingChore(l.saveAborted1(s))
}

// cutToSize gives back what was allocated beyond the end of a closed segment.
func (l *Log) cutToSize(s *segment) error {
	f, err := l.dir.open(s.file(layout.Log), os.O_RDWR)
	if err != nil {
		return l.dir.passingChore(err)
	}
	err = f.Truncate(s.size)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return l.dir.fail(fmt.Errorf("cut %s to size: %w", s.file(layout.Log), err))
	}
	s.allocated = s.size
	return nil
}

// writeFile writes one of a segment's derived files.
func (l *Log) writeFile(base int64, suffix string, b []byte) error {
	return l.dir.passingChore(checkpoint.Write(l.dir.fs, l.path(), layout.FileName(base, suffix), b, false))
}

// passingChore lets a chore fail for want of room: what it writes can be
// derived. Any other failure of the disk is final.
func (d *Dir) passingChore(err error) error {
	if err == nil || soft(err) {
		return nil
	}
	return d.fail(err)
}

// saveAborted brings the transaction-index files up to date and syncs them:
// the checkpoint that follows relies on them.
func (l *Log) saveAborted() error {
	l.mu.Lock()
	var due []*segment
	for _, s := range l.segs {
		if len(s.aborted) > s.savedTxns {
			due = append(due, s)
		}
	}
	l.mu.Unlock()
	for _, s := range due {
		if err := l.saveAborted1(s); err != nil {
			return err
		}
	}
	return nil
}

// saveAborted1 writes and syncs the transaction index of one segment.
func (l *Log) saveAborted1(s *segment) error {
	l.load.Lock() // one at a time: a checkpoint may come while a roll is finished
	defer l.load.Unlock()
	l.mu.Lock()
	all := s.aborted
	saved, gone := s.savedTxns, s.replaced
	l.mu.Unlock()
	if len(all) == saved || gone {
		return nil
	}
	var b []byte
	for _, a := range all {
		b = index.AppendAborted(b, a)
	}
	if err := checkpoint.Write(l.dir.fs, l.path(), layout.FileName(s.base, layout.Aborted), b, true); err != nil {
		return err
	}
	l.mu.Lock()
	if s.savedTxns == saved {
		s.savedTxns = len(all)
	}
	l.mu.Unlock()
	return nil
}

// snapshotFile is the producer state as Kafka's .snapshot file has it.
func (l *Log) snapshotFile() []byte { return l.Producers().Snapshot() }

// saveEpochs writes leader-epoch-checkpoint when it changed. Log.w is held.
func (l *Log) saveEpochs() error {
	v := l.epochs.Version()
	if v == l.epochsDone || len(l.segs) == 0 || len(l.segs) == 1 && l.segs[0].size <= smallAtStop {
		return nil
	}
	b := checkpoint.AppendEpochs(nil, l.epochs.All())
	if err := l.dir.passingChore(checkpoint.Write(l.dir.fs, l.path(), checkpoint.LeaderEpochs, b, false)); err != nil {
		return err
	}
	l.epochsDone = v
	return nil
}
