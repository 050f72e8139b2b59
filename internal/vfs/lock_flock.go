//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Lock implements FS with flock(2), which two opens of one process contend for
// as well and which a dead process cannot hold.
func (o *OS) Lock(name string) (io.Closer, error) {
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := flock(f); err != nil {
			return nil, errors.Join(&fs.PathError{Op: "lock", Path: name, Err: err}, f.Close())
		}
		// Someone may have removed or replaced the file between the two calls,
		// and then this lock guards nothing.
		mine, err1 := f.Stat()
		named, err2 := os.Stat(name)
		if err1 == nil && err2 == nil && os.SameFile(mine, named) {
			return f, nil
		}
		if err := errors.Join(err1, f.Close()); err != nil {
			return nil, err
		}
		if err2 != nil && !errors.Is(err2, fs.ErrNotExist) {
			return nil, err2
		}
	}
}

func flock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == unix.EINTR {
			continue
		}
		if err == unix.EWOULDBLOCK {
			return ErrLocked
		}
		return err
	}
}
