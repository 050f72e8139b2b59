//go:build !unix

package datadir

import "io/fs"

// inodeOf is 0 where the system has no inode numbers: the clone guard rests.
func inodeOf(fs.FileInfo) uint64 { return 0 }
