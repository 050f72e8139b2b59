// Package event is the clockwork of a simulation: one heap of events in one
// goroutine, streams of chance that all come from one seed, and a hash of all that
// was told to happen.
//
// It is not for what happens (package cluster, and the tests of package quorum), nor
// for disks (package sim).
//
// Main types: Loop; Stream and Draw for chance.
//
// Files in reading order: loop.go, chance.go.
//
// Invariants: events of the same moment run in the order in which they were asked
// for; the same seed gives the same streams, and a draw in one shifts no other;
// two runs are the same exactly when their hashes are.
//
// Ownership: everything belongs to the goroutine that calls Run.
package event
