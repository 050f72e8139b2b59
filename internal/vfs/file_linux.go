package vfs

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxIovecs is IOV_MAX: the most buffers one pwritev(2) takes.
const maxIovecs = 1024

// maxAllocateTries bounds the retries of an interrupted fallocate(2): some
// file systems undo all of it at a signal, and a profiler sends a hundred a
// second.
const maxAllocateTries = 100

// osFile is an open file of the real disk. Reads and single writes go through
// os.File, which handles interrupts and short transfers without allocating;
// the calls that package os lacks run under the same guard against a
// concurrent Close (RawConn.Control), so that none ever hits the descriptor of
// another file.
type osFile struct {
	*os.File
	conn syscall.RawConn
}

func newFile(f *os.File) (File, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &osFile{File: f, conn: conn}, nil
}

// sysOp is one raw system call with its arguments and results. It is pooled,
// and control is bound once, so that a call allocates nothing.
type sysOp struct {
	do      func(op *sysOp, fd uintptr)
	control func(fd uintptr)

	iovs   []unix.Iovec
	off, n int64
	errno  syscall.Errno
}

var sysOps = sync.Pool{New: func() any {
	op := new(sysOp)
	op.control = func(fd uintptr) { op.do(op, fd) }
	return op
}}

// run makes the call, again while a signal interrupts it.
func (f *osFile) run(name string, op *sysOp) error {
	for {
		if err := f.conn.Control(op.control); err != nil {
			return &fs.PathError{Op: name, Path: f.Name(), Err: fs.ErrClosed} // the only reason there is
		}
		if op.errno != syscall.EINTR {
			break
		}
	}
	if op.errno != 0 {
		return &fs.PathError{Op: name, Path: f.Name(), Err: op.errno}
	}
	return nil
}

// WritevAt implements File: one pwritev(2) for up to 1024 buffers, more only
// for more buffers or after a short write.
func (f *osFile) WritevAt(bufs [][]byte, off int64) (int64, error) {
	if off < 0 {
		return 0, &fs.PathError{Op: "pwritev", Path: f.Name(), Err: syscall.EINVAL}
	}
	op := sysOps.Get().(*sysOp)
	op.do = doPwritev
	written, skip := int64(0), 0 // skip: bytes of bufs[0] that are down already
	var err error
	for err == nil {
		for len(bufs) > 0 && skip == len(bufs[0]) {
			bufs, skip = bufs[1:], 0
		}
		if len(bufs) == 0 {
			break
		}
		op.fill(bufs, skip)
		op.off = off + written
		if err = f.run("pwritev", op); err != nil {
			break
		}
		if op.n == 0 { // nothing written and no error: do not spin
			err = &fs.PathError{Op: "pwritev", Path: f.Name(), Err: syscall.EIO}
			break
		}
		written += op.n
		bufs, skip = advance(bufs, skip, op.n)
	}
	clear(op.iovs) // the pool must not keep the caller's buffers alive
	op.iovs = op.iovs[:0]
	sysOps.Put(op)
	return written, err
}

// fill describes bufs, without the first skip bytes, to the kernel.
func (op *sysOp) fill(bufs [][]byte, skip int) {
	op.iovs = op.iovs[:0]
	for i, b := range bufs {
		if i == 0 {
			b = b[skip:]
		}
		if len(b) == 0 {
			continue
		}
		if len(op.iovs) == maxIovecs {
			return
		}
		iov := unix.Iovec{Base: &b[0]}
		iov.SetLen(len(b))
		op.iovs = append(op.iovs, iov)
	}
}

// advance steps over n written bytes.
func advance(bufs [][]byte, skip int, n int64) ([][]byte, int) {
	for n > 0 {
		rest := int64(len(bufs[0]) - skip)
		if n < rest {
			return bufs, skip + int(n)
		}
		n -= rest
		bufs, skip = bufs[1:], 0
	}
	return bufs, skip
}

func doPwritev(op *sysOp, fd uintptr) {
	// The kernel takes the offset as two longs: on 64 bits the low one is whole.
	const longBits = 8 * unsafe.Sizeof(uintptr(0))
	n, _, errno := unix.Syscall6(unix.SYS_PWRITEV, fd,
		uintptr(unsafe.Pointer(&op.iovs[0])), uintptr(len(op.iovs)),
		uintptr(op.off), uintptr(uint64(op.off)>>(longBits-1)>>1), 0)
	op.n, op.errno = 0, errno
	if errno == 0 {
		op.n = int64(n)
	}
}

// Sync implements File with fdatasync(2).
func (f *osFile) Sync() error {
	op := sysOps.Get().(*sysOp)
	defer sysOps.Put(op)
	op.do = doFdatasync
	return f.run("fdatasync", op)
}

func doFdatasync(op *sysOp, fd uintptr) { op.errno = errnoOf(unix.Fdatasync(int(fd))) }

// Allocate implements File with fallocate(2).
func (f *osFile) Allocate(off, length int64) error {
	if length <= 0 {
		return nil
	}
	op := sysOps.Get().(*sysOp)
	defer sysOps.Put(op)
	op.do, op.off, op.n = doFallocate, off, length
	err := f.run("fallocate", op)
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return nil
	}
	return err
}

func doFallocate(op *sysOp, fd uintptr) {
	for range maxAllocateTries {
		op.errno = errnoOf(unix.Fallocate(int(fd), unix.FALLOC_FL_KEEP_SIZE, op.off, op.n))
		if op.errno != syscall.EINTR {
			return
		}
	}
	op.errno = syscall.EAGAIN
}

func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return syscall.EIO
}

// Size implements File.
func (f *osFile) Size() (int64, error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// Fd implements File.
func (f *osFile) Fd() (uintptr, bool) { return f.File.Fd(), true }
