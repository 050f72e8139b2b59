package log

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ottla/internal/log/checkpoint"
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
	if l.dirtyIndex(s) {
		if err := l.finish(s); err != nil {
			return err
		}
		if err := l.writeFile(l.end.Offset, suffixSnapshot, l.snapshotFile()); err != nil {
			return err
		}
	}
	if l.state.pos != l.end {
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

// Delete closes l, renames its directory to NAME.<id>-delete (durably) and lets
// Housekeep remove it after the delay.
func (d *Dir) Delete(l *Log) error {
	if err := d.Err(); err != nil {
		return err
	}
	l.w.Lock()
	l.release()
	l.w.Unlock()
	d.mu.Lock()
	if d.logs[l.name] == l {
		delete(d.logs, l.name)
	}
	known := d.onDisk[l.name]
	delete(d.onDisk, l.name)
	delete(d.ckpt.entries, l.name)
	d.ckpt.wanted++
	after := d.ckpt.wanted
	// What waits for removal inside goes with the directory; its name may
	// soon be that of another log.
	d.trash = slices.DeleteFunc(d.trash, func(t trash) bool { return strings.HasPrefix(t.path, l.path()+"/") })
	d.mu.Unlock()
	if !known {
		return nil
	}
	to := d.path + "/" + deletedName(l.id)
	err := d.fs.Rename(l.path(), to)
	if err != nil && !missing(err) {
		// An earlier delete of the same partition may still be in the way.
		if err = d.fs.RemoveAll(to); err == nil {
			err = d.fs.Rename(l.path(), to)
		}
	}
	if err == nil || missing(err) {
		err = d.fs.SyncDir(d.path)
	}
	if err != nil {
		return d.fail(fmt.Errorf("delete log %s: %w", l.path(), err))
	}
	d.discard(trash{path: to, tree: true, due: d.o.Now().Add(l.cfg.Load().FileDeleteDelay), after: after})
	return nil
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
	if err := d.persist(); err != nil {
		return d.passing(err)
	}
	if err := d.writeText(high, true); err != nil {
		return d.passing(err)
	}
	if err := checkpoint.Write(d.fs, d.path, checkpoint.CleanShutdown, []byte(checkpoint.CleanShutdownV0), true); err != nil {
		return d.passing(err)
	}
	return nil
}
