//go:build unix && (!linux || race)

package sockcall

import "syscall"

// The race detector takes what was written to a socket as done before what reads
// it, which it learns from these calls.

// Receive reads what a socket has into b, at most 256 KiB of it. It never waits:
// the error is EAGAIN when there is nothing. 0 bytes are the end.
func Receive(fd uintptr, b []byte) (int, error) {
	return retry(func() (int, error) { return syscall.Read(int(fd), b[:min(len(b), most)]) })
}

// Send writes what a socket takes of b, at most 256 KiB of it, and tells how much
// that was. It never waits: the error is EAGAIN when it takes nothing.
func Send(fd uintptr, b []byte, _ bool) (int, error) {
	return retry(func() (int, error) { return syscall.Write(int(fd), b[:min(len(b), most)]) })
}

// retry makes a call again that a signal has interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
