//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd && !windows

package vfs

import (
	"errors"
	"io"
	"io/fs"
)

// Lock implements FS by refusing: without a lock that dies with its process, a
// second one could write to the same files.
func (o *OS) Lock(name string) (io.Closer, error) {
	return nil, &fs.PathError{Op: "lock", Path: name, Err: errors.ErrUnsupported}
}
