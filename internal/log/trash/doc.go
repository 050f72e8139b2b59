// Package trash is what was deleted in a log directory and still takes room:
// files and trees under names that mean nothing any more, to be removed after a
// while.
//
// It is not for the renames that make a delete count; those are done and durable
// before anything comes here.
//
// File: bin.go. A Bin may be used by many goroutines; its lock is a leaf, held
// across no I/O.
package trash
