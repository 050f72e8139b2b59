// Package vfs is the file-system seam: the one way from Ottla to a disk.
//
// It is for files that must be durable: open, write at an offset, sync a
// file, sync a directory, lock, reserve room. It is not a general file-system
// library: there are no permissions beyond those given at creation, no links,
// no relative directory handles, no appending mode.
//
// Main types: FS and File (the interfaces), OS (the real disk) and Mem (a disk
// in memory for ephemeral data and embedding). A disk that loses, tears and
// corrupts is in package sim.
//
// Reading order: vfs.go, os.go, file_linux.go (file_other.go elsewhere),
// syncfs_linux.go, lock_flock.go, usage_unix.go, life_linux.go (what keeps
// unsynced bytes), errors.go; replace.go (a file written whole); mem.go, memfile.go.
//
// Invariants:
//   - A name that was created, renamed or removed is durable after SyncDir of
//     its parent and not before; a new directory needs SyncDir of its parent too.
//   - Sync that returned nil means that every byte written to the file before
//     is on the disk, and so is its size.
//   - An error of Sync or SyncFS is final: the kernel may have forgotten what
//     was to be written, so that the next call succeeds without having done it.
//     Callers never retry one and believe the answer.
//   - Errors carry the operation and the name and unwrap to the system's error
//     number; NoSpace tells a full disk from a broken one.
//
// Concurrency: everything may be called from several goroutines. OS guards its
// cache of syncfs descriptors with one mutex; Mem guards its tree with one and
// each file's bytes with one of its own (tree before file).
//
// Sources: pwritev(2), fdatasync(2), syncfs(2), fallocate(2), flock(2), and for
// what a failed sync leaves behind, the kernel's Documentation on errseq_t.
package vfs
