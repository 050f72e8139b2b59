// Package model is the naive twin of compaction, for tests: it makes random
// histories of batches (keys, tombstones, null keys, idempotent producers,
// transactions, every codec), reads a log as a read_committed consumer does,
// and tells whether what that consumer sees is what a cleaner may leave.
//
// It is not for the product, and it knows nothing of how cleaning is done.
//
// Main types: History, Batch, Record. Files: history.go (what was written),
// view.go (what a consumer sees), check.go (what it may see).
package model
