package vfs

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// OS is the real disk. The zero value, behind a pointer, is ready.
type OS struct {
	mu sync.Mutex
	// syncers are descriptors kept for SyncFS, by name. syncfs(2) tells a
	// descriptor only of write-back errors since it was opened, so a fresh one
	// for each call could miss an error that another process has seen already.
	syncers map[string]*os.File
}

var _ FS = (*OS)(nil)

// NewOS returns the real disk.
func NewOS() *OS { return new(OS) }

// Close gives back the descriptors kept for SyncFS. Open files are not
// touched, and the disk can be used on.
func (o *OS) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, f := range o.syncers {
		errs = append(errs, f.Close())
	}
	o.syncers = nil
	return errors.Join(errs...)
}

// OpenFile implements FS. O_APPEND is refused by WriteAt, as in package os.
func (o *OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return newFile(f)
}

// MkdirAll implements FS.
func (o *OS) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }

// Remove implements FS.
func (o *OS) Remove(name string) error { return os.Remove(name) }

// RemoveAll implements FS.
func (o *OS) RemoveAll(name string) error { return os.RemoveAll(name) }

// Rename implements FS. As in package os, newname must not be a directory.
func (o *OS) Rename(oldname, newname string) error { return os.Rename(oldname, newname) }

// ReadDir implements FS.
func (o *OS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// Stat implements FS.
func (o *OS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// SyncDir implements FS. File systems that have no such thing (they answer
// EINVAL, as some network file systems do) make entries durable themselves.
func (o *OS) SyncDir(name string) error {
	err := syncDir(name)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// SyncFS implements FS. Where the platform cannot sync one file system, it
// syncs every file and directory below name instead.
func (o *OS) SyncFS(name string) error {
	f, err := o.syncer(name)
	if err != nil {
		return err
	}
	return syncFS(f)
}

// syncer returns the descriptor kept for name, opening one when there is none
// or when name means something else by now.
func (o *OS) syncer(name string) (*os.File, error) {
	now, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if f := o.syncers[name]; f != nil {
		if then, err := f.Stat(); err == nil && os.SameFile(then, now) {
			return f, nil
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
		delete(o.syncers, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if o.syncers == nil {
		o.syncers = make(map[string]*os.File)
	}
	o.syncers[name] = f
	return f, nil
}

// Life implements FS.
func (o *OS) Life(name string) string { return life(name) }

// Usage implements FS. Free is what an unprivileged process may still take.
func (o *OS) Usage(name string) (Usage, error) {
	u, err := usage(name)
	if err != nil {
		return Usage{}, &fs.PathError{Op: "statfs", Path: name, Err: err}
	}
	return u, nil
}
