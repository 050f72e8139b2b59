package log

import (
	"fmt"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/log/note"
	"ottla/internal/log/walk"
)

// Finish puts the copy in the log's place and gives it, open. The caller holds
// the log's writers off and lets readers be. Whatever fails before the copy has
// the log's name leaves the log as it was; Drop follows then. After success the
// caller goes on with the new log, and calls Retire.
func (m *Move) Finish(o OpenOptions) (*Log, error) {
	if err := m.alive(); err != nil {
		return nil, err
	}
	l := m.from
	l.w.Lock()
	defer l.w.Unlock()
	saved, err := m.complete()
	if err != nil {
		return nil, m.failed(err)
	}
	moved, err := m.to.openFuture(m.name, l.id, o, saved)
	if err != nil {
		return nil, err
	}
	if moved.End() != l.End() || moved.Start() != l.Start() {
		moved.release()
		return nil, fmt.Errorf("move %s to %s: the copy holds offsets %d to %d, and the log %d to %d",
			l.name, m.to.path, moved.Start(), moved.End().Offset, l.Start(), l.End().Offset)
	}
	moved.cleaning.to.Store(l.cleaning.to.Load())
	if err := m.to.promote(moved, m.name); err != nil {
		moved.release()
		// Whether the name will be there after a restart nobody knows: let the
		// log that goes on be the one that counts.
		if kept := l.dir.outrank(l); kept != nil {
			return nil, l.dir.fail(kept)
		}
		return nil, err
	}
	moved.kept.Follow(l.kept)
	m.end()
	return moved, nil
}

// Retire deletes what the log left behind after Finish. A failure takes the old
// directory offline, and does not concern the moved log.
func (m *Move) Retire() error { return m.from.dir.Delete(m.from) }

// complete brings the copy up to the log's end, durably, and gives what the
// checkpoint says of it. Log.w is held, and nobody appends.
func (m *Move) complete() (*checkpoint.Log, error) {
	l := m.from
	if l.active() != nil {
		if l.Durable() != l.End() {
			if err := l.sync(); err != nil {
				return nil, err
			}
		}
		if err := l.finishRolled(); err != nil {
			return nil, err
		}
		if err := l.saveAborted(); err != nil {
			return nil, err
		}
		l.takeMark()
	}
	for {
		n, err := m.copyNext()
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
	}
	if err := m.closeFile(); err != nil {
		return nil, err
	}
	if err := m.copyRest(); err != nil {
		return nil, err
	}
	e := l.checkpointEntry()
	if e != nil {
		if err := m.to.keepEntry(l.id, e); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// copyRest copies the small files and takes away what the log has no more.
func (m *Move) copyRest() error {
	kept := map[int64]bool{}
	for _, src := range m.sources() {
		kept[src.s.base] = true
		if src.size == 0 { // a segment that was begun and has nothing yet
			if err := m.open(src.s.base); err != nil {
				return err
			}
			if err := m.closeFile(); err != nil {
				return err
			}
		}
		for _, suffix := range []string{layout.Aborted, layout.Gap} {
			if err := m.copySmall(layout.FileName(src.s.base, suffix)); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{checkpoint.LeaderEpochs, note.Name, doubtName} {
		if err := m.copySmall(name); err != nil {
			return err
		}
	}
	entries, err := m.to.fs.ReadDir(m.path())
	if err != nil {
		return fmt.Errorf("list %s: %w", m.path(), err)
	}
	for _, e := range entries {
		if base, _, ok := layout.ParseFileName(e.Name()); ok && !kept[base] {
			if err := m.to.fs.Remove(m.path() + "/" + e.Name()); err != nil && !missing(err) {
				return err
			}
		}
	}
	return m.syncDirs()
}

// openFuture opens a copy under the name that it has until it is promoted.
// Nobody else knows of it yet.
func (d *Dir) openFuture(name string, id Ident, o OpenOptions, saved *checkpoint.Log) (*Log, error) {
	l := &Log{dir: d, id: id, name: name, onDurable: o.OnDurable, onOffline: o.OnOffline, high: o.High, remembered: -1, keep: o.KeepDoubts}
	l.rules = walk.Rules{Epochs: &l.epochs, Sparse: &l.sparse, Loose: &l.loose}
	c := o.Config.withDefaults()
	l.cfg.Store(&c)
	l.sparse.Store(c.Compact)
	l.cleaning.begin(d, name, false)
	if err := l.openFiles(true, saved); err != nil {
		return nil, err
	}
	return l, nil
}

// promote gives a copy the log's name, durably, and makes it one of the
// directory's logs.
func (d *Dir) promote(l *Log, from string) error {
	name := layout.DirName(l.id.Topic, l.id.Partition)
	d.mu.Lock()
	_, open := d.logs[name]
	taken := open || d.onDisk[name]
	d.mu.Unlock()
	if taken {
		return fmt.Errorf("move %s to %s: it lies there already", name, d.path)
	}
	err := d.fs.Rename(d.path+"/"+from, d.path+"/"+name)
	if err == nil {
		err = d.fs.SyncDir(d.path)
	}
	if err != nil {
		return d.fail(fmt.Errorf("give %s/%s the name %s: %w", d.path, from, name, err))
	}
	l.mu.Lock()
	l.name = name
	for _, s := range l.segs {
		s.path = l.path() + "/" + layout.FileName(s.base, "")
	}
	l.mu.Unlock()
	l.kept = note.New(d.fs, l.path(), l.noteFailed)
	l.wantMark.Store(true)
	l.open.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logs[name], d.onDisk[name] = l, true
	return nil
}

// keepEntry writes the checkpoint with what it shall say of a log that is about
// to get its name here.
func (d *Dir) keepEntry(id Ident, e *checkpoint.Log) error {
	name := layout.DirName(id.Topic, id.Partition)
	d.book.Put(name, checkpoint.Entry{Topic: id.Topic, Partition: id.Partition, Body: checkpoint.AppendLog(nil, e)})
	return d.book.Persist()
}
