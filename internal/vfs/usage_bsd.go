//go:build darwin || freebsd

package vfs

import "golang.org/x/sys/unix"

func blockSize(s *unix.Statfs_t) int64 { return int64(s.Bsize) }
