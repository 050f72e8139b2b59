package faulty

import "ottla/internal/vfs"

// file is an open file of a disk with faults.
type file struct {
	vfs.File
	faults *Faults
}

// WriteAt implements io.WriterAt.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	if err := f.faults.write("write", f.Name()); err != nil {
		return 0, err
	}
	n, err := f.faults.grow(f.File, "write", int64(len(p)), off, func() (int64, error) {
		n, err := f.File.WriteAt(p, off)
		return int64(n), err
	})
	return int(n), err
}

// WritevAt implements vfs.File.
func (f *file) WritevAt(bufs [][]byte, off int64) (int64, error) {
	if err := f.faults.write("pwritev", f.Name()); err != nil {
		return 0, err
	}
	var size int64
	for _, b := range bufs {
		size += int64(len(b))
	}
	return f.faults.grow(f.File, "pwritev", size, off, func() (int64, error) { return f.File.WritevAt(bufs, off) })
}

// Sync implements vfs.File.
func (f *file) Sync() error {
	if err := f.faults.sync("fdatasync", f.Name()); err != nil {
		return err
	}
	return f.File.Sync()
}

// Truncate implements vfs.File.
func (f *file) Truncate(size int64) error {
	var had int64
	if f.faults.limited.Load() {
		n, err := f.Size()
		if err != nil {
			return err
		}
		had = n
	}
	err := f.File.Truncate(size)
	if err == nil {
		f.faults.giveBack(had - size)
	}
	return err
}

// Allocate implements vfs.File: it fails when there would be no room.
func (f *file) Allocate(off, length int64) error {
	if err := f.faults.space("fallocate", f.Name()); err != nil {
		return err
	}
	size, err := f.Size()
	if err != nil {
		return err
	}
	if need := off + length - max(size, off); need > f.faults.free(need) {
		return f.faults.noSpace("fallocate", f.Name())
	}
	return f.File.Allocate(off, length)
}

var _ vfs.File = (*file)(nil)
