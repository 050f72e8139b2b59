package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"

	"ottla/internal/vfs"
)

// maxFile bounds what Read takes into memory; the largest honest file is a
// checkpoint of some thousand logs with many producers.
const maxFile = 1 << 30

// Write replaces dir/name by data: written to a temporary name, renamed over
// the old one. With durable the bytes are synced before the rename and the
// directory after it, so that a power cut leaves the old file or the new one,
// whole; without, a crash of the machine may leave either or neither.
func Write(fsys vfs.FS, dir, name string, data []byte, durable bool) (err error) {
	tmp, final := dir+"/"+name+".tmp", dir+"/"+name
	f, err := fsys.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("create %s: %w", tmp, err)
	}
	defer func() {
		if err != nil {
			_ = fsys.Remove(tmp)
		}
	}()
	_, err = f.WriteAt(data, 0)
	if err == nil && durable {
		if serr := f.Sync(); serr != nil {
			err = &SyncError{serr}
		}
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", tmp, err)
	}
	if err = fsys.Rename(tmp, final); err != nil {
		return fmt.Errorf("rename %s: %w", tmp, err)
	}
	if durable {
		if serr := fsys.SyncDir(dir); serr != nil {
			return fmt.Errorf("sync %s: %w", dir, &SyncError{serr})
		}
	}
	return nil
}

// SyncError marks a failed fsync: the page cache may have dropped what was
// written, so trying again proves nothing.
type SyncError struct{ Err error }

// Error tells that a sync failed, and how.
func (e *SyncError) Error() string { return "sync failed: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *SyncError) Unwrap() error { return e.Err }

// Read takes in a whole file. A missing file is an error that wraps
// fs.ErrNotExist.
func Read(fsys vfs.FS, name string) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("size of %s: %w", name, err)
	}
	if size > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d that such a file can need", name, size, maxFile)
	}
	b := make([]byte, size)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b[:n], nil
}
