// Package faulty makes a disk slow, failing or full when it is told to, over
// any other file system: for tests of programs that embed a node.
//
// It is not for losing or tearing what was written, nor for chance: package sim
// has a disk that does that by a seed. A node that was not given a Faults has
// no wrapper around its disk and pays nothing.
//
// Main types: Faults (what is wrong now; it may be changed at any time) and FS
// (the wrapper; many may share one Faults).
//
// Reading order: faults.go (the switches), room.go (a disk of limited room),
// fs.go, file.go.
//
// Invariants:
//   - The zero Faults changes nothing.
//   - A write that fails for want of room or with EIO has written nothing; a
//     sync that fails has made nothing durable, and the next one succeeds, as
//     after a real failure that the kernel reported once.
//   - Reads are never touched: descriptors are handed on for sendfile(2).
//   - Errors are *fs.PathError around the system's error number.
//
// Concurrency: everything may be called from several goroutines. The switches
// are atomics. Room is counted under one mutex, and only while it is limited.
//
// Sources: fdatasync(2), pwritev(2) (EIO, ENOSPC).
package faulty
