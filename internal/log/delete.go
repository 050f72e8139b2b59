package log

import (
	"fmt"
	"time"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/log/trash"
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
	if err := d.book.ForgetCleaned(l.name, d.Holds); err != nil {
		return d.fail(err)
	}
	d.mu.Lock()
	if d.logs[l.name] == l {
		delete(d.logs, l.name)
	}
	known := d.onDisk[l.name]
	delete(d.onDisk, l.name)
	after := d.book.Drop(l.name)
	// What waits for removal inside goes with the directory; its name may
	// soon be that of another log.
	d.trash.Forget(l.path() + "/")
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
	d.trash.Add(trash.Item{Path: to, Tree: true, Due: d.o.Now().Add(l.cfg.Load().FileDeleteDelay), After: after})
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
	if err := d.book.ForgetCleaned(name, d.Holds); err != nil {
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
	d.book.Drop(name)
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
		d.trash.Add(trash.Item{Path: name + layout.Deleted, Due: due})
	}
	return nil
}
