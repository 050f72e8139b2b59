package vfs

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Parts splits a name into its elements from the root on, for file systems in
// memory: relative names start at their root.
func Parts(name string) []string {
	name = path.Clean("/" + filepath.ToSlash(name))
	return strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
}

// below tells whether name lies inside dir.
func below(name, dir string) bool {
	ns, ds := Parts(name), Parts(dir)
	return len(ns) > len(ds) && slices.Equal(ns[:len(ds)], ds)
}

// Renamable is the rule of rename(2) for file systems in memory: why oldname, a
// directory or not, can not take the name newname, under which there is
// something (taken), perhaps a directory. Both parents exist.
func Renamable(oldname, newname string, dir, taken, takenDir bool) error {
	switch {
	case taken && takenDir:
		return syscall.EEXIST
	case dir && below(newname, oldname):
		return syscall.EINVAL
	case taken && dir:
		return syscall.ENOTDIR
	}
	return nil
}
