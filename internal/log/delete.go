package log

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
)

// Delete closes l, renames its directory to NAME.<id>-delete (durably) and lets
// Housekeep remove it after the delay.
func (d *Dir) Delete(l *Log) error {
	if err := d.Err(); err != nil {
		return err
	}
	resume := l.cleaning.halt()
	l.w.Lock()
	l.release()
	l.w.Unlock()
	resume()
	if err := d.forgetCleaned(l.name); err != nil {
		return d.fail(err)
	}
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
	to := d.path + "/" + layout.DeletedName(l.id.Topic, l.id.Partition, l.id.ID)
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

// SetAside renames a partition directory that nobody knows any more to
// TOPIC-N.<id>-stray, as Kafka does, durably; it is kept until an operator
// removes it. The log must not be open. It tells the new name.
func (d *Dir) SetAside(id Ident) (string, error) {
	name := layout.DirName(id.Topic, id.Partition)
	d.mu.Lock()
	_, open := d.logs[name]
	d.mu.Unlock()
	if open {
		return "", fmt.Errorf("set %s aside: it is open", name)
	}
	to := layout.FreeName(d.fs, d.path+"/"+layout.StrayName(id.Topic, id.Partition, id.ID))
	if err := d.forgetCleaned(name); err != nil {
		return "", fmt.Errorf("set %s aside: %w", name, err)
	}
	if err := d.fs.Rename(d.path+"/"+name, to); err != nil {
		return "", fmt.Errorf("set %s aside: %w", name, err)
	}
	if err := d.fs.SyncDir(d.path); err != nil {
		return "", d.fail(fmt.Errorf("sync directory %s: %w", d.path, err))
	}
	d.mu.Lock()
	delete(d.onDisk, name)
	delete(d.ckpt.entries, name)
	d.ckpt.wanted++
	d.mu.Unlock()
	return to, nil
}

// Make makes the partition directory of a log before its first append and
// durably, for an owner who keeps files of his own in it. One that is there
// already is left as it is.
func (d *Dir) Make(id Ident) error {
	if d.Holds(id.Topic, id.Partition) {
		return nil
	}
	name := layout.DirName(id.Topic, id.Partition)
	if err := d.fs.MkdirAll(d.path+"/"+name, 0o755); err != nil {
		return fmt.Errorf("make %s/%s: %w", d.path, name, err)
	}
	if err := checkpoint.Write(d.fs, d.path+"/"+name, checkpoint.PartitionMeta, checkpoint.AppendMetadata(nil, id.ID), true); err != nil {
		return err
	}
	if err := d.fs.SyncDir(d.path); err != nil {
		return d.fail(fmt.Errorf("sync directory %s: %w", d.path, err))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onDisk[name] = true
	return nil
}

// Holds tells whether the directory has a partition directory for the log.
func (d *Dir) Holds(topic string, partition int32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.onDisk[layout.DirName(topic, partition)]
}

// trash is something deleted that still takes room.
type trash struct {
	path string
	tree bool
	due  time.Time
	// after is the checkpoint that must be on disk first: until then the
	// layout.Leftover is what tells that the log was deleted and not lost.
	after uint64
}

// discard notes files or trees to be removed later.
func (d *Dir) discard(t ...trash) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trash = append(d.trash, t...)
}

// emptyTrash removes what is due. What can not be removed is tried again.
func (d *Dir) emptyTrash() {
	now := d.o.Now()
	d.ckpt.mu.Lock()
	written := d.ckpt.written
	d.ckpt.mu.Unlock()
	d.mu.Lock()
	var due []trash
	d.trash = slices.DeleteFunc(d.trash, func(t trash) bool {
		ready := !now.Before(t.due) && written >= t.after
		if ready {
			due = append(due, t)
		}
		return ready
	})
	d.mu.Unlock()
	for _, t := range due {
		var err error
		if t.tree {
			err = d.fs.RemoveAll(t.path)
		} else {
			err = d.fs.Remove(t.path)
		}
		if err != nil && !missing(err) {
			d.log.Warn("what was deleted can not be removed yet", "path", t.path, "err", err)
			t.due = now.Add(time.Minute)
			d.discard(t)
		}
	}
}

// trashFiles renames a segment's files and notes them for removal.
func (d *Dir) trashFiles(path string, due time.Time) error {
	for _, suffix := range segmentSuffixes {
		name := path + suffix
		err := d.fs.Rename(name, name+layout.Deleted)
		if missing(err) {
			continue
		}
		if err != nil {
			return d.fail(fmt.Errorf("delete %s: %w", name, err))
		}
		d.discard(trash{path: name + layout.Deleted, due: due})
	}
	return nil
}
