// Package compact decides what compaction does to a log: which logs are due
// and how far (Judge), in which groups their segments are rewritten (Groups),
// which offset of a key is its last (Keys), which batches and records of a
// transaction are dead (Transactions), and what of a batch stays (Pass).
//
// It is not for files: reading, writing and swapping segments is package log.
// It is pure: no clock, no lock, no I/O.
//
// Main types: Plan, Keys, Pass.
//
// Files in reading order: plan.go (what is due), groups.go, keys.go (the
// bounded table of last offsets), live.go (the same as a set), transactions.go, pass.go (both passes over
// the batches).
//
// # What stays, in short
//
//   - Of each key the record with the largest offset that the table knows;
//     every record above what the table covers; never one without a key.
//   - A tombstone that is the last of its key until its batch's delete horizon
//     is passed. The horizon is set by the first cleaning that finds it:
//     the time then plus delete.retention.ms (KIP-534).
//   - No record of an aborted transaction. A marker goes when no batch of its
//     transaction is left before it and the horizon, set by the cleaning that
//     found that out, is passed. While it stays and hid something, so does its
//     entry in the transaction index; afterwards both are gone: an entry
//     without its marker would hide what the producer writes later.
//   - The last batch of each producer that is still known, without its
//     records if they are dead (a marker stays whole): from it a replica
//     learns the producer's epoch and sequence again (KIP-98).
//   - The last batch below the bound of the pass, so that readers can step over
//     what is gone.
//
// Offsets, timestamps, sequences and leader epochs never change.
//
// Sources: KIP-58 (minimum lag), KIP-354 (maximum lag), KIP-534 (delete
// horizon), KIP-98 (transactions, idempotence), and what Kafka's cleaner does.
//
// Ownership: a value of any type here is one goroutine's.
package compact
