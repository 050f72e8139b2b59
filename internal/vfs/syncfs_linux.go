package vfs

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// syncFS syncs the file system that holds the open file f.
func syncFS(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errSync error
	err = conn.Control(func(fd uintptr) {
		for {
			if errSync = unix.Syncfs(int(fd)); errSync != unix.EINTR {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	if errSync != nil {
		return &fs.PathError{Op: "syncfs", Path: f.Name(), Err: errSync}
	}
	return nil
}
