// Package sim is the simulated world in which Ottla's durable code is tested:
// a disk that forgets, tears, fails and rots by a seed, and a clock that only
// tests move.
//
// It is for tests alone. It is not a fast disk in memory (that is vfs.Mem), and
// it starts no goroutine: whoever drives it decides the order of things.
//
// Main types: Disk (a vfs.FS with a fault model), Op and Action (a hook sees
// each operation and may fail, cut, lose or misdirect it), Coverage (which
// faults were really met), Clock.
//
// Reading order: disk.go, op.go, node.go, names.go, file.go, crash.go, damage.go,
// clone.go, coverage.go, clock.go.
//
// # The fault model
//
// A file has what programs read (live), what the platter holds (disk) and the
// changes between the two, in order. Names have the same: live entries,
// durable entries, and the changes between.
//
//   - Sync makes one file's changes durable, SyncDir the changes of one
//     directory (and those they hang on), SyncFS everything.
//   - Kill is the end of a process: handles and locks are gone, the page cache
//     stays, and what was not synced still is not.
//   - Crash is the end of power: of what was not synced, a part chosen by the
//     seed survives: nothing, everything, a prefix, any set of 4 KiB pages, any
//     set of 512 B sectors; and of names nothing, everything, a prefix, or any
//     set that respects what hangs on what.
//   - A failed Sync may have written any part, and what it has not written is
//     clean from then on, as on Linux: programs still read it, a later Sync
//     does not write it, and a Crash loses it.
//
// Invariants: the same seed and the same calls give the same bytes, errors and
// trace hash; what was synced without an error is never lost by Crash or Kill
// (unless the hook lied or a damage was done); after Crash nothing is unsynced.
//
// Concurrency: Disk has one mutex and may be shared by goroutines (then the
// order, and with it the trace, is theirs). A hook runs outside the mutex.
package sim
