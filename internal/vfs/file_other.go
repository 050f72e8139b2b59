//go:build !linux

package vfs

import (
	"os"
)

// osFile is an open file of the real disk, with what every platform has.
type osFile struct{ *os.File }

func newFile(f *os.File) (File, error) { return osFile{f}, nil }

// WritevAt implements File, buffer by buffer.
func (f osFile) WritevAt(bufs [][]byte, off int64) (int64, error) {
	var written int64
	for _, b := range bufs {
		n, err := f.WriteAt(b, off+written)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Allocate implements File by doing nothing.
func (f osFile) Allocate(off, length int64) error { return nil }

// Size implements File.
func (f osFile) Size() (int64, error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// Fd implements File. Only Linux's sendfile(2) is used, so there is none here.
func (f osFile) Fd() (uintptr, bool) { return 0, false }
