package vfs

import "os"

// syncDir only checks that the directory is there: NTFS journals its entries,
// and Windows has no call to wait for them.
func syncDir(name string) error {
	_, err := os.Stat(name)
	return err
}
