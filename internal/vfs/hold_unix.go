//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Hold takes a shared record lock (fcntl(2)) on the whole of an existing file
// without changing it, as a reader of somebody else's directory does: it fails
// with ErrLocked while another process, such as Java's FileChannel.lock, has it
// exclusively, and keeps others from taking it so until it is closed. A record
// lock belongs to the process: no other descriptor of the file may be closed
// meanwhile.
func (o *OS) Hold(name string) (io.Closer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	lock := unix.Flock_t{Type: unix.F_RDLCK}
	for {
		err = unix.FcntlFlock(f.Fd(), unix.F_SETLK, &lock)
		if err != unix.EINTR {
			break
		}
	}
	if err == nil {
		// Locks of flock(2), which Lock takes, are another kind: both count.
		err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	}
	if err == nil {
		return f, nil
	}
	if err == unix.EAGAIN || err == unix.EACCES {
		err = ErrLocked
	}
	return nil, errors.Join(&fs.PathError{Op: "hold", Path: name, Err: err}, f.Close())
}
