// Package mend repairs what is damaged in the replicas of this node from those of
// others.
//
// It is not for finding damage (reads, compaction and recovery do, and tell), nor
// for writing over it (package log).
//
// Main type: Keeper.
//
// Files in reading order: keeper.go (what is to be mended, and when), range.go
// (bytes in their place), anew.go (a whole replica), ask.go (another node's
// batches).
//
// When something cannot be read, all of that log is read once, and every damaged
// range is replaced by the batches that another replica has for it: the leader, or
// where this node leads, one that is in sync. The bytes are the same on every
// replica, so they fit exactly, and are checked before one is written. The replica
// stays what it is meanwhile, leader or follower.
//
// Where they do not fit (compaction left others), or nothing is left to write over
// (a file that is gone), the replica is fetched anew. It asks its leader for
// nothing until the controller has noted that nobody counts on it (and has given
// its lead away), and only then drops what it has: so at no moment may a replica
// be elected that lacks what was acknowledged. Where no other replica that is alive
// has everything, it stays as it is and that is said.
//
// What does not succeed is tried again, less and less often.
//
// Goroutines: one, from the first damage on. Close waits for it. Keeper.mu is held
// for moments only, with nothing called.
package mend
