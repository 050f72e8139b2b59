//go:build !race

package sockcall

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Receive reads what a socket has into b, at most 256 KiB of it. It never waits:
// the error is EAGAIN when there is nothing. 0 bytes are the end.
func Receive(fd uintptr, b []byte) (int, error) {
	b = b[:min(len(b), most)]
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			return int(n), nil
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

// Send writes what a socket takes of b, at most 256 KiB of it, and tells how much
// that was. It never waits: the error is EAGAIN when it takes nothing. more says
// that something follows at once.
func Send(fd uintptr, b []byte, more bool) (int, error) {
	flags := unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL
	if more || len(b) > most {
		flags |= unix.MSG_MORE
	}
	b = b[:min(len(b), most)]
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(flags), 0, 0)
		if errno == 0 {
			return int(n), nil
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}
