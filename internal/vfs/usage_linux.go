package vfs

import "golang.org/x/sys/unix"

// blockSize is the unit of the counts: the fragment, where one is told.
func blockSize(s *unix.Statfs_t) int64 {
	if s.Frsize != 0 {
		return int64(s.Frsize)
	}
	return int64(s.Bsize)
}
