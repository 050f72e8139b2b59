//go:build darwin || freebsd || linux

package vfs

import "golang.org/x/sys/unix"

func usage(name string) (Usage, error) {
	var s unix.Statfs_t
	for {
		err := unix.Statfs(name, &s)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return Usage{}, err
		}
		break
	}
	block := int64(blockSize(&s))
	return Usage{Total: int64(s.Blocks) * block, Free: int64(s.Bavail) * block}, nil
}
