// Package book is a log directory's checkpoint as a thing that is open: what the
// file holds, what changed since, and Kafka's own checkpoint files beside it.
//
// It is not for deciding what an entry says (the log does) nor for their bytes
// (package checkpoint draws those).
//
// Files: book.go (our checkpoint), kafka.go (the text files and the mark of a
// clean stop), life.go (whether what was not synced may be missing), cleaned.go
// (how far logs are compacted).
//
// Invariants: the file on disk is always a whole one; a write that returned
// covers every change that was made before it was asked for; many callers share
// few writes.
//
// Locks: write is held across the writing of the file, then mu, a leaf, for the
// entries; cleaned has its own.
package book
