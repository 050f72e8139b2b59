package sim

import (
	"io"
	"io/fs"
	"syscall"

	"ottla/internal/vfs"
)

// file is an open file of one process. After Kill or Crash it is dead.
type file struct {
	disk               *Disk
	node               *node
	name               string
	generation         int64
	readable, writable bool
	closed             bool // guarded by disk.mu
}

var _ vfs.File = (*file)(nil)

// begin starts an operation on the file; the caller unlocks the disk.
func (f *file) begin(kind OpKind, off, length int64) running {
	return f.disk.begin(Op{Kind: kind, Name: f.name, Off: off, Len: length})
}

// check is the reason why the handle cannot do it, nil when it can.
func (f *file) check(allowed bool, off int64) error {
	switch {
	case f.closed || f.generation != f.disk.generation:
		return fs.ErrClosed
	case !allowed:
		return syscall.EBADF
	case f.node.dir:
		return syscall.EISDIR
	case off < 0:
		return syscall.EINVAL
	}
	return nil
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	op := f.begin(OpRead, off, int64(len(p)))
	defer f.disk.mu.Unlock()
	if err := f.check(f.readable, off); err != nil {
		return 0, op.fail("read", err)
	}
	if err := op.refusal(); err != nil {
		return 0, op.fail("read", err)
	}
	n := 0
	if off < int64(len(f.node.live)) {
		n = copy(p, f.node.live[off:])
	}
	f.disk.mixBytes(p[:n])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	op := f.begin(OpWrite, off, int64(len(p)))
	defer f.disk.mu.Unlock()
	if err := f.check(f.writable, off); err != nil {
		return 0, op.fail("write", err)
	}
	n, err := f.write(&op, p, off)
	f.disk.mixBytes(p[:n])
	if err != nil {
		return n, op.fail("write", err)
	}
	return n, nil
}

// write does what the hook and the room allow of a write.
func (f *file) write(op *running, p []byte, off int64) (int, error) {
	d := f.disk
	err := op.refusal()
	if err != nil {
		if d.off && !op.Cut {
			return 0, err
		}
		p = p[:min(op.Keep, int64(len(p)))]
		if len(p) > 0 {
			d.hit(ShortWrite)
		}
	}
	if fits := d.fits(f.node, off+int64(len(p))) - off; fits < int64(len(p)) && err == nil {
		p = p[:max(0, fits)]
		d.hit(NoSpace)
		err = syscall.ENOSPC
	}
	if len(p) > 0 {
		d.write(f.node, p, off, op.Lose, op.Shift)
	}
	return len(p), err
}

// fits tells up to which byte, at most end, a file may reach with the room
// there is.
func (d *Disk) fits(n *node, end int64) int64 {
	if sectors(end) <= n.space() {
		return end
	}
	room := max(0, d.capacity-d.used) / SectorSize * SectorSize
	return min(end, n.space()+room)
}

// WritevAt implements vfs.File: one write of all the bytes.
func (f *file) WritevAt(bufs [][]byte, off int64) (int64, error) {
	var all []byte
	for _, b := range bufs {
		all = append(all, b...)
	}
	n, err := f.WriteAt(all, off)
	return int64(n), err
}

// Sync implements vfs.File.
func (f *file) Sync() error {
	op := f.begin(OpSync, 0, 0)
	d := f.disk
	defer d.mu.Unlock()
	if f.closed || f.generation != d.generation {
		return op.fail("fdatasync", fs.ErrClosed)
	}
	if err := op.refusal(); err != nil {
		if !d.off {
			d.syncFailed(f.node)
		}
		return op.fail("fdatasync", err)
	}
	if op.Lose {
		d.hit(LyingSync)
		return nil
	}
	if f.node.dir {
		d.syncNames(f.node)
	}
	d.sync(f.node)
	return nil
}

// Truncate implements vfs.File.
func (f *file) Truncate(size int64) error {
	op := f.begin(OpTruncate, size, 0)
	defer f.disk.mu.Unlock()
	if err := f.check(f.writable, size); err != nil {
		return op.fail("truncate", err)
	}
	if err := op.refusal(); err != nil {
		return op.fail("truncate", err)
	}
	if f.disk.fits(f.node, size) < size {
		f.disk.hit(NoSpace)
		return op.fail("truncate", syscall.ENOSPC)
	}
	f.disk.truncate(f.node, size)
	return nil
}

// Allocate implements vfs.File.
func (f *file) Allocate(off, length int64) error {
	op := f.begin(OpAllocate, off, length)
	d := f.disk
	defer d.mu.Unlock()
	if err := f.check(f.writable, min(off, length)); err != nil {
		return op.fail("fallocate", err)
	}
	if err := op.refusal(); err != nil {
		return op.fail("fallocate", err)
	}
	if d.fits(f.node, off+length) < off+length {
		d.hit(NoSpace)
		return op.fail("fallocate", syscall.ENOSPC)
	}
	before := f.node.space()
	f.node.allocated = max(f.node.allocated, off+length)
	d.used += f.node.space() - before
	return nil
}

// Size implements vfs.File.
func (f *file) Size() (int64, error) {
	op := f.begin(OpStat, 0, 0)
	defer f.disk.mu.Unlock()
	if f.closed || f.generation != f.disk.generation {
		return 0, op.fail("stat", fs.ErrClosed)
	}
	if err := op.refusal(); err != nil {
		return 0, op.fail("stat", err)
	}
	return int64(len(f.node.live)), nil
}

// Fd implements vfs.File: there is no descriptor.
func (f *file) Fd() (uintptr, bool) { return 0, false }

// Name implements vfs.File.
func (f *file) Name() string { return f.name }

// Close implements io.Closer. It is not an operation: nothing can happen to it.
func (f *file) Close() error {
	d := f.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.closed {
		return pathError("close", f.name, fs.ErrClosed)
	}
	f.closed = true
	if f.generation == d.generation {
		f.node.handles--
		d.freeIfDead(f.node)
	}
	return nil
}

// freeIfDead gives back the room of a file that has neither name nor handle.
func (d *Disk) freeIfDead(n *node) {
	if !n.dir && !n.alive() {
		d.used -= n.space()
	}
}
