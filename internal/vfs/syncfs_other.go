//go:build !linux

package vfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// syncFS has no system call to use: sync(2) of these platforms does not wait.
// It syncs what lies at and below f's name, children before their directory.
func syncFS(f *os.File) error { return syncTree(f.Name()) }

func syncTree(name string) error {
	fi, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed since it was listed
	}
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return syncPath(name)
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := syncTree(filepath.Join(name, e.Name())); err != nil {
			return err
		}
	}
	return new(OS).SyncDir(name)
}

func syncPath(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
