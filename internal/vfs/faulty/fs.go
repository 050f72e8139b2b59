package faulty

import (
	"errors"
	"io/fs"
	"os"

	"ottla/internal/vfs"
)

// FS is a file system with faults. What it does not override (listing, looking,
// locking) is the disk's below.
type FS struct {
	vfs.FS
	faults *Faults
}

var _ vfs.FS = (*FS)(nil)

// Over puts faults over a disk.
func Over(disk vfs.FS, faults *Faults) *FS { return &FS{FS: disk, faults: faults} }

// OpenFile implements vfs.FS: a full disk has no room for a new file.
func (d *FS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	if flag&os.O_CREATE != 0 && d.faults.full.Load() {
		if _, err := d.FS.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return nil, d.faults.noSpace("open", name)
		}
	}
	var cut int64
	if flag&os.O_TRUNC != 0 {
		cut = d.held(name)
	}
	f, err := d.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	d.faults.giveBack(cut)
	return &file{File: f, faults: d.faults}, nil
}

// MkdirAll implements vfs.FS: a full disk has no room for a new directory.
func (d *FS) MkdirAll(name string, perm fs.FileMode) error {
	if d.faults.full.Load() {
		if _, err := d.FS.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return d.faults.noSpace("mkdir", name)
		}
	}
	return d.FS.MkdirAll(name, perm)
}

// Remove implements vfs.FS.
func (d *FS) Remove(name string) error {
	freed := d.held(name)
	err := d.FS.Remove(name)
	if err == nil {
		d.faults.giveBack(freed)
	}
	return err
}

// RemoveAll implements vfs.FS.
func (d *FS) RemoveAll(name string) error {
	freed := d.held(name)
	err := d.FS.RemoveAll(name)
	if err == nil {
		d.faults.giveBack(freed)
	}
	return err
}

// Rename implements vfs.FS; the file that it replaces gives its room back.
func (d *FS) Rename(oldname, newname string) error {
	var freed int64
	if oldname != newname {
		freed = d.held(newname)
	}
	err := d.FS.Rename(oldname, newname)
	if err == nil {
		d.faults.giveBack(freed)
	}
	return err
}

// SyncDir implements vfs.FS.
func (d *FS) SyncDir(name string) error {
	if err := d.faults.sync("fsync", name); err != nil {
		return err
	}
	return d.FS.SyncDir(name)
}

// SyncFS implements vfs.FS.
func (d *FS) SyncFS(name string) error {
	if err := d.faults.sync("syncfs", name); err != nil {
		return err
	}
	return d.FS.SyncFS(name)
}

// Usage implements vfs.FS.
func (d *FS) Usage(name string) (vfs.Usage, error) {
	u, err := d.FS.Usage(name)
	u.Free = d.faults.free(u.Free)
	return u, err
}
