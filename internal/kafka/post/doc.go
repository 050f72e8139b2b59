// Package post appends a batch that this node made to a partition, on whatever
// node leads it, and waits until it is committed: dead letters, and the records of
// timers.
//
// It is not for making batches, nor for what clients produce.
//
// Main types: Office, Box.
//
// Files in reading order: office.go (who leads), near.go (a partition that this
// node leads), far.go (one that another does, with a Produce request),
// look.go (whether a batch is there).
//
// Invariants: a partition that is led here is appended to without a detour; an
// error whose code is a refusal means that nothing was written, all others that it
// may have been. A batch with a producer's sequence may be put again.
//
// Ownership: an Office and its Boxes may be used from any goroutine; Put waits.
package post
