package log

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/log/note"
	"ottla/internal/log/walk"
	"ottla/internal/producer"
)

// OpenOptions are what the owner of a log brings.
type OpenOptions struct {
	Config Config
	// OnDurable is called by SyncRound when everything below p is durable (for
	// syncs that an append or Housekeep did as well). It must not block or
	// call back into the log's writers.
	OnDurable func(p Position)
	// High, where set, tells the high watermark for the checkpoint, -1 when it
	// is not worth keeping: it must be quick and must not call back.
	High func() int64
	// OnOffline is called once when the directory fails for good, by
	// SyncRound or Housekeep.
	OnOffline func(err error)
	// KeepDoubts: the owner settles what is in doubt (Doubted) or lost (Lost), and until
	// it has (Trust, StartAt) that outlives the process.
	KeepDoubts bool
}

// Open opens a log, recovering what lies past its recovery point; a log that
// has no directory yet gets one at its first append. Several logs may be
// opened in parallel. It fails with ErrWrongTopic when the directory belongs
// to another topic id.
func (d *Dir) Open(id Ident, o OpenOptions) (*Log, error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	if id.Topic == "" || id.Partition < 0 || strings.ContainsAny(id.Topic, "/\x00") || id.Topic == "." || id.Topic == ".." {
		return nil, fmt.Errorf("open log: %q partition %d is no name of a log", id.Topic, id.Partition)
	}
	l := &Log{dir: d, id: id, name: layout.DirName(id.Topic, id.Partition), onDurable: o.OnDurable, onOffline: o.OnOffline, high: o.High, remembered: -1, keep: o.KeepDoubts}
	l.rules = walk.Rules{Epochs: &l.epochs, Sparse: &l.sparse, Loose: &l.loose}
	c := o.Config.withDefaults()
	l.cfg.Store(&c)
	l.sparse.Store(c.Compact)
	d.mu.Lock()
	_, open := d.logs[l.name]
	if !open {
		d.logs[l.name] = l
	}
	known := d.onDisk[l.name]
	d.mu.Unlock()
	if open {
		return nil, fmt.Errorf("open log %s: it is open already", l.name)
	}
	l.cleaning.begin(d, l.name, known)
	l.kept = note.New(d.fs, l.path(), l.noteFailed)
	saved := d.book.Entry(l.name)
	if saved != nil && saved.ID != l.id.ID {
		saved = nil // of a deleted topic that had this name
	}
	if saved != nil {
		l.remembered = saved.High
	}
	if err := l.openFiles(known, saved); err != nil {
		d.mu.Lock()
		delete(d.logs, l.name)
		d.mu.Unlock()
		return nil, err
	}
	l.wantMark.Store(true)
	l.open.Store(true)
	return l, nil
}

// openFiles opens what is on disk, if anything is known to be, by what the
// checkpoint says.
func (l *Log) openFiles(known bool, saved *checkpoint.Log) error {
	if !known {
		return l.openMissing(saved)
	}
	if err := l.checkTopic(saved); err != nil {
		return err
	}
	names, err := l.listFiles()
	if err != nil {
		return err
	}
	if names.doubts {
		if err := l.readDoubts(); err != nil {
			return err
		}
	}
	r := recovery{l: l, saved: saved, report: Recovery{}}
	if err := r.run(names); err != nil {
		return fmt.Errorf("open log %s: %w", l.name, err)
	}
	return nil
}

// openMissing opens a log that has no directory. A checkpoint that knows data
// of it means that somebody took the directory away: then the offsets go on
// where they were as far as it knows, so that none is given out twice. There may have
// been more: the end is in doubt.
func (l *Log) openMissing(saved *checkpoint.Log) error {
	if saved == nil || saved.Recovery.Offset == 0 { // nothing of it was ever durable
		return nil
	}
	l.start = saved.End
	l.end = Position{Offset: saved.End, Segment: saved.End}
	l.durable = l.end
	l.epochs.Replace(saved.Epochs)
	l.lost.Store(true)
	l.doubted.Store(true)
	l.report = &Recovery{From: saved.Start, End: saved.End, Reason: "the directory of this log is gone: everything it held is lost"}
	l.dir.log.Error("log directory of a partition is gone", "topic", l.id.Topic, "partition", l.id.Partition, "offset", saved.End)
	return nil
}

// Misses tells whether the checkpoint knows something durable of a log whose directory
// is gone.
func (d *Dir) Misses(id Ident) bool {
	if d.Err() != nil || d.Holds(id.Topic, id.Partition) {
		return false
	}
	saved := d.book.Entry(layout.DirName(id.Topic, id.Partition))
	return saved != nil && saved.ID == id.ID && saved.Recovery.Offset > 0
}

// checkTopic holds the directory's partition.metadata against the topic id. A
// missing one is written (its log never answered for anything yet, or Kafka of
// old wrote it); a damaged one is mended when the checkpoint vouches for it.
func (l *Log) checkTopic(saved *checkpoint.Log) error {
	id, err := l.dir.readMetadata(l.name)
	if err != nil && saved == nil && (!l.dir.book.Foreign || l.tornMetadata()) {
		err = fs.ErrNotExist
	}
	switch {
	case err == nil && id == l.id.ID:
		return nil
	case err == nil && saved == nil:
		return fmt.Errorf("open log %s: %w: it says %s, the topic has %s; move %s away if it is not wanted", l.name, ErrWrongTopic, id, l.id.ID, l.path())
	case !missing(err) && saved == nil:
		return fmt.Errorf("open log %s: %w: its partition.metadata can not be read (%w); put the topic id %s there if the data is this topic's", l.name, ErrWrongTopic, err, l.id.ID)
	}
	if !missing(err) { // the checkpoint and the caller agree on the id, so the file is wrong
		l.dir.log.Warn("partition.metadata is damaged and is written again", "topic", l.id.Topic, "partition", l.id.Partition, "err", err)
	}
	err = checkpoint.Write(l.dir.fs, l.path(), checkpoint.PartitionMeta, checkpoint.AppendMetadata(nil, l.id.ID), true)
	if err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	return nil
}

// tornMetadata tells whether partition.metadata is what a power cut leaves of
// the right one: its beginning, or holes of zeros. It is synced before anything
// in the log counts, so nothing was answered for then. (Where there is a
// checkpoint that does not name the log, the same holds whatever it looks like.)
func (l *Log) tornMetadata() bool {
	b, err := checkpoint.Read(l.dir.fs, l.path()+"/"+checkpoint.PartitionMeta)
	want := checkpoint.AppendMetadata(nil, l.id.ID)
	if err != nil || len(b) > len(want) {
		return false
	}
	for i, c := range b {
		if c != 0 && c != want[i] {
			return false
		}
	}
	return true
}

// files is a partition directory by content.
type files struct {
	bases []int64            // of .log files, rising
	sizes map[int64]int64    // of these
	other map[string][]int64 // base offsets by suffix, for the derived files
	// doubts: an earlier process left some.
	doubts bool
}

// listFiles finishes what a crash or Kafka left half done, then lists what is
// there.
func (l *Log) listFiles() (*files, error) {
	entries, err := l.dir.fs.ReadDir(l.path())
	if err != nil {
		return nil, l.refuse(l.cfg.Load(), fmt.Errorf("list %s: %w", l.path(), err))
	}
	if again, err := layout.Clean(l.dir.fs, l.path(), entries); err != nil {
		return nil, l.dir.fail(err)
	} else if again {
		if entries, err = l.dir.fs.ReadDir(l.path()); err != nil {
			return nil, l.refuse(l.cfg.Load(), fmt.Errorf("list %s: %w", l.path(), err))
		}
	}
	f := &files{sizes: map[int64]int64{}, other: map[string][]int64{}}
	for _, e := range entries {
		base, suffix, ok := layout.ParseFileName(e.Name())
		if !ok {
			f.doubts = f.doubts || e.Name() == doubtName
			continue
		}
		if suffix != layout.Log {
			f.other[suffix] = append(f.other[suffix], base)
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, l.dir.fail(fmt.Errorf("size of %s/%s: %w", l.path(), e.Name(), err))
		}
		f.bases = append(f.bases, base)
		f.sizes[base] = info.Size()
	}
	slices.Sort(f.bases)
	return f, nil
}

// freshProducers empties the producer state.
func (l *Log) freshProducers() *producer.State {
	if l.producers != nil {
		l.producers.Reset()
	}
	return l.Producers()
}
