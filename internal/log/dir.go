package log

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/log/book"
	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/log/room"
	"ottla/internal/log/syncway"
	"ottla/internal/log/trash"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// DirOptions configure a log directory.
type DirOptions struct {
	FS      vfs.FS
	Path    string
	Now     func() time.Time // wall clock, for segment age and retention
	Logger  *slog.Logger
	Reserve int64 // bytes of ballast kept for metadata and internal topics when the disk is full; 0 none
	// MaxOpenFiles bounds the descriptors of closed segments kept open.
	MaxOpenFiles int
	// VerifyAge is how long a checked (or written) range of a segment is
	// trusted before a read checks its CRCs again; 0 checks every read.
	VerifyAge time.Duration
}

// defaultOpenFiles is used when MaxOpenFiles is 0.
const defaultOpenFiles = 1024

// Dir is one log directory: its logs, its checkpoint, its sync rounds. It
// starts no goroutine; the steps (SyncRound, Checkpoint, Housekeep) are called
// in loops by whoever owns it. Each step is called from one goroutine at a
// time; different steps may run beside each other.
type Dir struct {
	o     DirOptions
	fs    vfs.FS
	path  string
	log   *slog.Logger
	epoch time.Time // trust is noted in seconds since then

	mu      sync.Mutex // guards the fields below; a leaf
	logs    map[string]*Log
	onDisk  map[string]bool // partition directories, by name
	futures []string        // directories of logs on their way here, as found at the start

	trash   trash.Bin
	cache   descriptors
	indexes loadedIndexes
	dirty   dirtySet
	ways    syncway.Ways
	room    *room.Room
	book    *book.Book
	due     due

	coarse  atomic.Uint32 // seconds(), as of the last step
	failure atomic.Pointer[error]
	told    sync.Once
	failed  atomic.Bool // failure is set
}

// OpenDir reads the directory's checkpoint and lists its logs. It recovers
// nothing yet: Open does that, log by log.
func OpenDir(o DirOptions) (*Dir, error) {
	d := newDir(o)
	if err := d.makePath(); err != nil {
		return nil, err
	}
	if err := d.list(); err != nil {
		return nil, err
	}
	var err error
	if d.book, err = book.Open(d.fs, d.path, len(d.onDisk) == 0, d.deletedAs, d.log); err != nil {
		return nil, err
	}
	d.sayHow()
	d.forgetFutures()
	d.trash.KeepUntil(d.book.Changes())
	// A killed process may have renamed a checkpoint into place that no disk
	// has under that name yet. What recovery does because of it (removing
	// segments below the start) must not outlive it in a power cut. After a
	// clean stop taking its mark away has synced the directory.
	if !d.book.Clean {
		if err := d.fs.SyncDir(d.path); err != nil {
			return nil, fmt.Errorf("sync log directory %s: %w", d.path, err)
		}
	}
	d.room = room.Open(room.Options{FS: d.fs, Path: d.path, Reserve: o.Reserve, Now: d.o.Now, Logger: d.log})
	return d, nil
}

// newDir makes a Dir that has looked at nothing yet.
func newDir(o DirOptions) *Dir {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxOpenFiles <= 0 {
		o.MaxOpenFiles = defaultOpenFiles
	}
	o.Path = strings.TrimRight(o.Path, "/")
	d := &Dir{
		o: o, fs: o.FS, path: o.Path, log: o.Logger.With("dir", o.Path), epoch: o.Now(),
		logs: map[string]*Log{}, onDisk: map[string]bool{},
	}
	d.cache.max = o.MaxOpenFiles
	d.tick()
	d.dirty.token = make(chan struct{}, 1)
	d.due.token = make(chan struct{}, 1)
	return d
}

// makePath makes the log directory and syncs the entries that lead to it. Until
// a checkpoint is there that holds for entries found as well: a process that was
// killed may have made them and synced none.
func (d *Dir) makePath() error {
	_, err := d.fs.Stat(d.path + "/" + checkpoint.Name)
	first := missing(err)
	var lead []string // names to sync, from the directory up
	made := len(lead) // so many of them are made now
	for p := d.path; p != "" && p != "." && p != "/"; p = path.Dir(p) {
		_, err := d.fs.Stat(p)
		if err != nil && !missing(err) {
			return fmt.Errorf("look at %s: %w", p, err)
		}
		if err == nil && !first {
			break
		}
		lead = append(lead, p)
		if err != nil {
			made = len(lead)
		}
	}
	if err := d.fs.MkdirAll(d.path, 0o755); err != nil {
		return fmt.Errorf("make log directory %s: %w", d.path, err)
	}
	for i, p := range lead {
		err := d.fs.SyncDir(path.Dir(p))
		if i >= made && errors.Is(err, fs.ErrPermission) {
			break // a directory of others: none of our processes made anything in it
		}
		if err != nil {
			return fmt.Errorf("sync directory %s: %w", path.Dir(p), err)
		}
	}
	return nil
}

// list reads the directory: partitions, leftovers of deletes, temporary files.
func (d *Dir) list() error {
	entries, err := d.fs.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("list log directory %s: %w", d.path, err)
	}
	for _, e := range entries {
		name := e.Name()
		_, _, isLog := layout.ParseDirName(name)
		switch {
		case e.IsDir() && isLog:
			d.onDisk[name] = true
		case e.IsDir() && strings.HasSuffix(name, "-delete") && layout.Leftover.MatchString(name):
			// The rename was the delete; what is left is space.
			d.trash.Add(trash.Item{Path: d.path + "/" + name, Tree: true})
		case e.IsDir() && isFuture(name):
			d.futures = append(d.futures, name)
		case !e.IsDir() && strings.HasSuffix(name, layout.Tmp):
			_ = d.fs.Remove(d.path + "/" + name)
		}
	}
	return nil
}

// deletedAs tells whether the log is deleted whose directory is called as then. A
// directory that has its name again is another topic's, and a power cut may have left
// it without the file that says so; or it is the same log, which moved back since.
func (d *Dir) deletedAs(name, as string) bool {
	if !d.trash.Holds(d.path + "/" + as) {
		return false
	}
	if !d.onDisk[name] {
		return true
	}
	topic, partition, _ := layout.ParseDirName(name)
	id, err := d.readMetadata(name)
	if err != nil {
		return d.moves(name) == 0
	}
	return layout.DeletedName(topic, partition, id) != as
}

func isFuture(name string) bool {
	_, _, ok := layout.ParseFutureName(name)
	return ok
}

// Found lists the partition directories that are on disk, from their
// partition.metadata; leftovers of deletes (-delete) are not among them. A
// directory whose partition.metadata is missing or damaged has the id that
// the checkpoint knows, or none.
func (d *Dir) Found() []Ident {
	d.mu.Lock()
	names := slices.Sorted(maps.Keys(d.onDisk))
	d.mu.Unlock()
	out := make([]Ident, 0, len(names))
	for _, name := range names {
		topic, partition, _ := layout.ParseDirName(name)
		id, err := d.readMetadata(name)
		if err != nil {
			if e := d.book.Entry(name); e != nil {
				id = e.ID
			}
		}
		out = append(out, Ident{topic, partition, id})
	}
	return out
}

func (d *Dir) readMetadata(name string) (uuid.UUID, error) {
	b, err := checkpoint.Read(d.fs, d.path+"/"+name+"/"+checkpoint.PartitionMeta)
	if err != nil {
		return uuid.UUID{}, err
	}
	return checkpoint.ParseMetadata(b)
}

// Path is the directory.
func (d *Dir) Path() string { return d.path }

// StoppedCleanly tells that whoever had the directory before closed it, with
// everything synced.
func (d *Dir) StoppedCleanly() bool { return d.book.Clean }

// MayLack tells whether records that were written and not synced may be missing:
// it was not closed cleanly, and since then the power was lost, for all that is
// known. After the death of a process alone the kernel has them all. A new
// directory lacks everything.
func (d *Dir) MayLack() bool { return d.book.MayLack }

// Told notes that whoever counts on this directory has been told what MayLack
// says. Until then later processes say it too, however the ones between ended.
func (d *Dir) Told() error {
	if !d.book.MayLack || d.Err() != nil {
		return nil
	}
	if err := d.book.Told(); err != nil {
		return fmt.Errorf("log directory %s: %w", d.path, err)
	}
	return nil
}

// sayHow tells how the last process ended, where that was not a clean stop.
func (d *Dir) sayHow() {
	switch {
	case d.book.Died:
		d.log.Info("the log directory was not closed; nothing that was written is missing")
	case !d.book.Clean && len(d.onDisk) > 0:
		d.log.Info("the log directory was not closed, and the power may have been lost: what was not synced may be missing")
	}
}

// FS is the file system that the directory lies on, for files that others
// keep beside the logs (the quorum's).
func (d *Dir) FS() vfs.FS { return d.fs }

// Err is the reason why the directory is offline, or nil.
func (d *Dir) Err() error {
	if p := d.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// fail takes the directory offline for good and returns what every call
// answers from now on. The owners of logs are told by the next SyncRound or
// Housekeep, never from inside a writer's call.
func (d *Dir) fail(err error) error {
	if errors.Is(err, ErrOffline) {
		return err
	}
	wrapped := fmt.Errorf("%w: %s failed and may have lost what was written: %w; replace or check the disk, then restart", ErrOffline, d.path, err)
	if d.failure.CompareAndSwap(nil, &wrapped) {
		d.failed.Store(true)
		d.book.EndLife()
		d.log.Error("log directory goes offline", "err", err)
		d.dirty.wake()
	}
	return d.Err()
}

// tell passes a failure on to the owners of all logs, once.
func (d *Dir) tell() {
	if !d.failed.Load() {
		return
	}
	d.told.Do(func() {
		err := d.Err()
		for _, l := range d.every() {
			if l.onOffline != nil {
				l.onOffline(err)
			}
		}
	})
}

// Bytes is how much the segments of all open logs hold.
func (d *Dir) Bytes() int64 {
	var n int64
	for _, l := range d.all() {
		n += l.Size()
	}
	return n
}

// every lists the logs by name, those that are being opened among them.
func (d *Dir) every() []*Log {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]*Log, 0, len(d.logs))
	for _, name := range slices.Sorted(maps.Keys(d.logs)) {
		out = append(out, d.logs[name])
	}
	return out
}

// all lists the open logs by name. One that is being opened is still its
// opener's alone, and the checkpoint has what it is opened by.
func (d *Dir) all() []*Log {
	return slices.DeleteFunc(d.every(), func(l *Log) bool { return !l.open.Load() })
}

// seconds is the time for trust: whole seconds since OpenDir, from 1.
func (d *Dir) seconds() uint32 {
	return uint32(max(d.o.Now().Sub(d.epoch)/time.Second, 0)) + 1
}

// tick keeps the clock of the append path; a step calls it.
func (d *Dir) tick() { d.coarse.Store(d.seconds()) }

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
