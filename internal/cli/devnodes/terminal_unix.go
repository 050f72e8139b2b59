//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package devnodes

import (
	"os"

	"golang.org/x/sys/unix"
)

// AtOnce lets a terminal give keys as they are pressed, and not write them;
// Ctrl-C still is a signal. undo puts it back. Where f is no terminal nothing is
// changed.
func AtOnce(f *os.File) (undo func()) {
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return func() {}
	}
	raw := *before
	raw.Lflag &^= unix.ICANON | unix.ECHO
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if unix.IoctlSetTermios(fd, setTermios, &raw) != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, before) } // the terminal may be gone
}
