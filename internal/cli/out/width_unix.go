//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package out

import (
	"os"

	"golang.org/x/sys/unix"
)

// WidthOf is how many columns a terminal has; 0 where it has none.
func WidthOf(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
