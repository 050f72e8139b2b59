package vfs

import (
	"io"
	"io/fs"
)

// FS is the one way from Ottla to a disk. OS is the real one; package sim has
// one that loses, tears and corrupts. Names are slash paths as the OS takes
// them. Every method may be called from several goroutines.
type FS interface {
	// OpenFile opens name as os.OpenFile does (flags of package os).
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	MkdirAll(name string, perm fs.FileMode) error
	// Remove removes a file or an empty directory, RemoveAll a whole tree.
	Remove(name string) error
	RemoveAll(name string) error
	// Rename replaces newname. It is durable only after SyncDir of the parent.
	Rename(oldname, newname string) error
	// ReadDir lists a directory, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the entries of a directory durable: creations, renames,
	// removals. Without it a power cut may undo them.
	SyncDir(name string) error
	// SyncFS makes everything written so far to the file system that holds
	// name durable, in one call (syncfs(2)).
	SyncFS(name string) error
	// Lock takes an exclusive advisory lock on the file name, creating it. It
	// fails at once when another open lock holds it, in this process or any
	// other. Closing gives it back.
	Lock(name string) (io.Closer, error)
	// Usage tells the room on the file system that holds name.
	Usage(name string) (Usage, error)
	// Life names what keeps written bytes of name that are not synced: as long as
	// it is the same, none of them is lost, however often processes ended. It
	// changes with a boot of the machine and with a mount of the file system. ""
	// is unknown: then anything may have been lost.
	Life(name string) string
}

// Usage is the room on a file system, in bytes.
type Usage struct{ Total, Free int64 }

// File is an open file. ReadAt and WriteAt may run concurrently.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// WritevAt writes the buffers one after the other from off on, in as few
	// system calls as the platform allows (pwritev(2)).
	WritevAt(bufs [][]byte, off int64) (int64, error)
	// Sync makes the data and the size of this file durable (fdatasync(2)).
	// It does not make its directory entry durable: see FS.SyncDir.
	Sync() error
	Size() (int64, error)
	Truncate(size int64) error
	// Allocate reserves blocks for [off, off+length) without changing the
	// size (fallocate(2) KEEP_SIZE); where the file system cannot, it does
	// nothing and returns nil. It fails with ENOSPC when there is no room.
	Allocate(off, length int64) error
	// Fd gives the descriptor for sendfile(2); ok is false for a file that
	// has none. The descriptor is good until Close.
	Fd() (fd uintptr, ok bool)
	Name() string
}
