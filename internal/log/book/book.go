package book

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/vfs"
)

// Book is the checkpoint of one directory.
type Book struct {
	fs   vfs.FS
	path string
	log  *slog.Logger

	write    sync.Mutex // serialises the writing; guards the next three
	sequence uint64
	written  uint64 // value of wanted that the file on disk covers
	buf      []byte

	mu      sync.Mutex
	entries map[string]checkpoint.Entry // by directory name
	wanted  uint64                      // counts changes

	cleaned Cleaned

	// What Kafka's files said when the directory was opened, by directory name:
	// recovery points, log start offsets and high watermarks.
	Floors, Starts, Highs map[string]int64
	// Clean: the directory was closed cleanly before. Foreign: there was no
	// checkpoint of ours.
	Clean, Foreign bool
	// Died: it was not, and nothing that was written then is missing (only the
	// process ended). MayLack: what was written and not synced may be missing, and
	// nobody has been told yet.
	Died, MayLack bool
	ended         atomic.Bool // EndLife was called
}

// Open reads what the last process left, empty saying that the directory has no
// logs. It takes away the mark of a clean stop, so that it can not vouch for what
// this process does. deleted tells of a log's name and the name of its
// deleted directory that the log is gone and the directory still takes room: its
// entry is older than the delete, and says nothing of another log that has the
// name by now.
func Open(fsys vfs.FS, path string, empty bool, deleted func(name, as string) bool, log *slog.Logger) (*Book, error) {
	b := Empty(fsys, path, log)
	err := b.read()
	switch {
	case errors.Is(err, checkpoint.ErrNewer):
		return nil, fmt.Errorf("%s/%s: %w; run the release that wrote it", path, checkpoint.Name, err)
	case err != nil && !missing(err):
		log.Warn("checkpoint can not be read; every log is walked from its start", "err", err)
	}
	b.Foreign = err != nil
	b.forget(deleted)
	b.Floors = b.offsets(checkpoint.RecoveryPoints)
	b.Starts = b.offsets(checkpoint.LogStarts)
	b.Highs = b.offsets(checkpoint.HighWatermarks)
	b.cleaned.offsets = b.offsets(checkpoint.CleanerOffsets)
	if err := b.takeCleanMark(); err != nil {
		return nil, err
	}
	if err := b.takeLife(); err != nil {
		return nil, err
	}
	if missing(err) && empty {
		// A new directory says so: a checkpoint that is missing later on
		// was lost, and logs that it does not name are new.
		b.Foreign = false
		return b, b.Persist()
	}
	return b, nil
}

// Empty is the book of a directory that can not be read.
func Empty(fsys vfs.FS, path string, log *slog.Logger) *Book {
	return &Book{fs: fsys, path: path, log: log, entries: map[string]checkpoint.Entry{}}
}

func (b *Book) read() error {
	raw, err := checkpoint.Read(b.fs, b.path+"/"+checkpoint.Name)
	if err != nil {
		return err
	}
	f, err := checkpoint.Parse(raw)
	if err != nil {
		return err
	}
	b.sequence = f.Sequence
	for _, e := range f.Logs {
		b.entries[layout.DirName(e.Topic, e.Partition)] = e
	}
	return nil
}

// forget drops the entries of logs whose deleted directory is still there: the
// checkpoint was not written since. It must be before that goes.
func (b *Book) forget(deleted func(name, as string) bool) {
	for name, e := range b.entries {
		if l, err := checkpoint.ParseLog(e.Body); err == nil && deleted(name, layout.DeletedName(e.Topic, e.Partition, l.ID)) {
			delete(b.entries, name)
			b.wanted++
		}
	}
}

// Entry decodes what the book knows of a log; nil when nothing, or nothing sound.
func (b *Book) Entry(name string) *checkpoint.Log {
	b.mu.Lock()
	e, ok := b.entries[name]
	b.mu.Unlock()
	if !ok {
		return nil
	}
	l, err := checkpoint.ParseLog(e.Body)
	if err != nil {
		b.log.Warn("checkpoint entry is damaged and is passed by", "log", name, "err", err)
		return nil
	}
	return l
}

// Has tells whether the book has an entry of a log, sound or not.
func (b *Book) Has(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.entries[name]
	return ok
}

// Put notes what the next write says of a log.
func (b *Book) Put(name string, e checkpoint.Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries[name] = e
	b.wanted++
}

// Drop takes a log out and tells what Written must reach before the file on disk
// says so.
func (b *Book) Drop(name string) (change uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.entries, name)
	b.wanted++
	return b.wanted
}

// Touch has the next Persist write the file whether or not anything changed.
func (b *Book) Touch() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted++
}

// Changes counts the changes so far.
func (b *Book) Changes() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.wanted
}

// Written is how many of the changes the file on disk covers.
func (b *Book) Written() uint64 {
	b.write.Lock()
	defer b.write.Unlock()
	return b.written
}

// Persist writes the file if anything changed since it was written last. Whoever
// comes while another writes is covered by the next write.
func (b *Book) Persist() error {
	want := b.Changes()
	b.write.Lock()
	defer b.write.Unlock()
	if b.written >= want && b.sequence > 0 {
		return nil
	}
	f := checkpoint.File{Sequence: b.sequence + 1}
	b.mu.Lock()
	covers := b.wanted
	for _, name := range slices.Sorted(maps.Keys(b.entries)) {
		f.Logs = append(f.Logs, b.entries[name])
	}
	b.mu.Unlock()
	b.buf = checkpoint.Append(b.buf[:0], &f)
	if err := checkpoint.Write(b.fs, b.path, checkpoint.Name, b.buf, true); err != nil {
		return err
	}
	b.sequence, b.written = f.Sequence, covers
	return nil
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
