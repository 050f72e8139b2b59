package note

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"ottla/internal/log/checkpoint"
	"ottla/internal/vfs"
)

// Name of the file in a partition's directory. Kafka passes it by.
const Name = "coordinator.snapshot"

// ErrStale refuses a note that is about offsets which were compacted since.
var ErrStale = errors.New("the log was compacted beyond the note")

// File is the note beside one log. Its methods may be called from any
// goroutine.
type File struct {
	fs   vfs.FS
	dir  string
	fail func(error) error // takes a failed write or sync, tells what to answer

	mu    sync.Mutex // guards the file and floor; held over I/O
	floor int64      // notes of offsets below it are not taken any more
}

// New makes the note of the log in dir. fail hears what went wrong in writing;
// nil when nobody needs to.
func New(fsys vfs.FS, dir string, fail func(error) error) *File {
	if fail == nil {
		fail = func(err error) error { return err }
	}
	return &File{fs: fsys, dir: dir, fail: fail}
}

// Keep replaces the note by one about the state of the log below offset. It is
// whole and synced when Keep returns nil. b is borrowed until then.
func (f *File) Keep(b []byte, offset int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if offset < f.floor {
		return ErrStale
	}
	return f.failed(checkpoint.Write(f.fs, f.dir, Name, b, true))
}

// Follow takes over from the note of the same log in another directory: what
// that one would refuse is refused here too.
func (f *File) Follow(before *File) {
	before.mu.Lock()
	floor := before.floor
	before.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.floor = max(f.floor, floor)
}

// failed hands on what went wrong, but for a directory that is not there: it
// was deleted meanwhile, or has no records yet.
func (f *File) failed(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.fail(err)
}

// Read gives the note, nil when there is none; one larger than most bytes is an
// error. The bytes are the caller's.
func (f *File) Read(most int) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, err := f.fs.OpenFile(f.dir+"/"+Name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the note beside %s: %w", f.dir, err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, fmt.Errorf("size of the note beside %s: %w", f.dir, err)
	}
	if size > int64(most) {
		return nil, fmt.Errorf("the note beside %s has %d bytes, more than %d", f.dir, size, most)
	}
	b := make([]byte, size)
	n, err := file.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the note beside %s: %w", f.dir, err)
	}
	return b[:n], nil
}

// Drop is called before records below offset are compacted away: the note goes,
// durably, and none about less than offset is taken from then on.
func (f *File) Drop(offset int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.floor = max(f.floor, offset)
	err := f.fs.Remove(f.dir + "/" + Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = f.fs.SyncDir(f.dir)
	}
	if err != nil {
		err = fmt.Errorf("drop the note beside %s: %w", f.dir, err)
	}
	return f.failed(err)
}
