package vfs

import (
	"os"
	"path"
)

// Replace writes a file so that after a power cut the old one or the new one is
// there, whole: write fills the file temp, which is synced and renamed to name;
// then their directory is synced. After an error name may be either, and temp
// may be left behind.
func Replace(f FS, name, temp string, write func(File) error) error {
	file, err := f.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = f.Rename(temp, name)
	}
	if err == nil {
		err = f.SyncDir(path.Dir(name))
	}
	return err
}
