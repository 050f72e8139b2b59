package vfs

import (
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// chunkSize is the unit in which a file in memory grows; a smaller file takes
// the next power of two above its size, so that thousands of idle partitions
// cost little.
const (
	chunkSize    = 64 << 10
	minChunkSize = 512
)

// memData is the content of a file, shared by its name and its open handles.
// Chunks that were never written are nil and read as zeros.
type memData struct {
	mem *Mem

	mu       sync.RWMutex
	chunks   [][]byte // all but the last are chunkSize long or nil
	size     int64
	refs     int // names and open handles; at zero the memory is given back
	modified time.Time
}

func (d *memData) stat() (int64, time.Time) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.size, d.modified
}

func (d *memData) open() {
	d.mu.Lock()
	d.refs++
	d.mu.Unlock()
}

func (d *memData) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refs--; d.refs == 0 {
		d.cut(0)
	}
}

// readAt copies from off on; it returns io.EOF where the file ends first.
func (d *memData) readAt(p []byte, off int64) (int, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if off >= d.size {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), d.size-off))
	for done := 0; done < n; {
		at := off + int64(done)
		want := min(n-done, chunkSize-int(at%chunkSize))
		part := p[done : done+want]
		copied := 0
		if c := d.chunk(at); int(at%chunkSize) < len(c) {
			copied = copy(part, c[at%chunkSize:])
		}
		clear(part[copied:])
		done += want
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (d *memData) chunk(off int64) []byte {
	if i := off / chunkSize; i < int64(len(d.chunks)) {
		return d.chunks[i]
	}
	return nil
}

// writeAt copies p into the file; without room it writes what fits.
func (d *memData) writeAt(p []byte, off int64) (int, error) {
	if off > d.mem.capacity-int64(len(p)) { // a hole costs nothing, but its map of chunks does
		return 0, syscall.ENOSPC
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	done := 0
	for done < len(p) {
		at := off + int64(done)
		end := min(int(at%chunkSize)+len(p)-done, chunkSize)
		c := d.grow(at/chunkSize, end)
		if c == nil {
			break
		}
		done += copy(c[at%chunkSize:end], p[done:])
		d.size = max(d.size, off+int64(done))
	}
	d.modified = time.Now()
	if done < len(p) {
		return done, syscall.ENOSPC
	}
	return done, nil
}

// grow makes chunk i at least n bytes long and returns it, or nil when the
// disk is full.
func (d *memData) grow(i int64, n int) []byte {
	var c []byte
	if i < int64(len(d.chunks)) {
		c = d.chunks[i]
	}
	if len(c) >= n {
		return c
	}
	size := minChunkSize
	for size < n || i > 0 && size < chunkSize {
		size *= 2
	}
	more := int64(size - len(c))
	if d.mem.used.Add(more) > d.mem.capacity {
		d.mem.used.Add(-more)
		return nil
	}
	bigger := make([]byte, size)
	copy(bigger, c)
	for i >= int64(len(d.chunks)) {
		d.chunks = append(d.chunks, nil)
	}
	d.chunks[i] = bigger
	return bigger
}

func (d *memData) truncate(size int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if size < d.size {
		d.cut(size)
	}
	d.size = size
	d.modified = time.Now()
}

// cut frees the memory above size and zeroes the rest of the last chunk, which
// must read as zeros should the file grow again.
func (d *memData) cut(size int64) {
	keep := (size + chunkSize - 1) / chunkSize
	for i := keep; i < int64(len(d.chunks)); i++ {
		d.mem.used.Add(-int64(len(d.chunks[i])))
		d.chunks[i] = nil
	}
	d.chunks = d.chunks[:min(keep, int64(len(d.chunks)))]
	if tail := size % chunkSize; tail != 0 && keep == int64(len(d.chunks)) && tail < int64(len(d.chunks[keep-1])) {
		clear(d.chunks[keep-1][tail:])
	}
}

// memFile is an open file (or directory, which can only be closed).
type memFile struct {
	name               string
	node               *memNode
	readable, writable bool
	closed             atomic.Bool
}

// check returns the content, or the reason why op is not possible.
func (f *memFile) check(op string, allowed bool, off int64) (*memData, error) {
	switch {
	case f.closed.Load():
		return nil, pathError(op, f.name, fs.ErrClosed)
	case !allowed:
		return nil, pathError(op, f.name, syscall.EBADF)
	case f.node.data == nil:
		return nil, pathError(op, f.name, syscall.EISDIR)
	case off < 0:
		return nil, pathError(op, f.name, syscall.EINVAL)
	}
	return f.node.data, nil
}

// ReadAt implements io.ReaderAt.
func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	d, err := f.check("read", f.readable, off)
	if err != nil {
		return 0, err
	}
	return d.readAt(p, off)
}

// WriteAt implements io.WriterAt.
func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	d, err := f.check("write", f.writable, off)
	if err != nil {
		return 0, err
	}
	n, err := d.writeAt(p, off)
	return n, pathError("write", f.name, err)
}

// WritevAt implements File.
func (f *memFile) WritevAt(bufs [][]byte, off int64) (int64, error) {
	var written int64
	if off < 0 {
		return 0, pathError("pwritev", f.name, syscall.EINVAL)
	}
	for _, b := range bufs {
		n, err := f.WriteAt(b, off+written)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Sync implements File.
func (f *memFile) Sync() error {
	if f.closed.Load() {
		return pathError("fdatasync", f.name, fs.ErrClosed)
	}
	return nil
}

// Size implements File.
func (f *memFile) Size() (int64, error) {
	if f.closed.Load() {
		return 0, pathError("stat", f.name, fs.ErrClosed)
	}
	return f.node.info(f.name).Size(), nil
}

// Truncate implements File.
func (f *memFile) Truncate(size int64) error {
	d, err := f.check("truncate", f.writable, size)
	if err != nil {
		return err
	}
	d.truncate(size)
	return nil
}

// Allocate implements File: it reserves nothing, but tells when there would be
// no room.
func (f *memFile) Allocate(off, length int64) error {
	d, err := f.check("fallocate", f.writable, min(off, length))
	if err != nil {
		return err
	}
	size, _ := d.stat()
	if need := off + length - max(size, off); need > d.mem.capacity-d.mem.used.Load() {
		return pathError("fallocate", f.name, syscall.ENOSPC)
	}
	return nil
}

// Fd implements File.
func (f *memFile) Fd() (uintptr, bool) { return 0, false }

// Name implements File.
func (f *memFile) Name() string { return f.name }

// Close implements io.Closer.
func (f *memFile) Close() error {
	if f.closed.Swap(true) {
		return pathError("close", f.name, fs.ErrClosed)
	}
	if f.node.data != nil {
		f.node.data.release()
	}
	return nil
}
