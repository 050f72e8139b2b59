package log

import (
	"encoding/hex"
	"fmt"

	"ottla/internal/log/checkpoint"
	"ottla/internal/vfs"
)

// FS is the file system that the directory lies on, for files that others
// keep beside the logs (the quorum's).
func (d *Dir) FS() vfs.FS { return d.fs }

// SetAside renames a partition directory that nobody knows any more to
// TOPIC-N.<id>-stray, as Kafka does, durably; it is kept until an operator
// removes it. The log must not be open. It tells the new name.
func (d *Dir) SetAside(id Ident) (string, error) {
	name := dirName(id.Topic, id.Partition)
	d.mu.Lock()
	_, open := d.logs[name]
	d.mu.Unlock()
	if open {
		return "", fmt.Errorf("set %s aside: it is open", name)
	}
	tail := fmt.Sprintf("-%d.%s-stray", id.Partition, hex.EncodeToString(id.ID[:]))
	to := freeName(d.fs, d.path+"/"+id.Topic[:min(len(id.Topic), maxName-len(tail)-6)]+tail)
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
	name := dirName(id.Topic, id.Partition)
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
	return d.onDisk[dirName(topic, partition)]
}
