//go:build unix

package datadir

import (
	"io/fs"
	"syscall"
)

// inodeOf is the inode number behind a file's description, 0 when the file
// system that made it has none.
func inodeOf(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s != nil {
		return uint64(s.Ino)
	}
	return 0
}
