//go:build !windows

package vfs

import (
	"errors"
	"os"
)

// syncDir syncs the entries of a directory. Errors of Close are told too: a
// network file system may report there what it could not store.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
