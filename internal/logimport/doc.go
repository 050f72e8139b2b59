// Package logimport brings the log directories of a stopped Apache Kafka node
// into a data directory of Ottla: every record at its offset, topics with their
// ids and settings, leader epochs, producers, log start offsets, committed
// offsets of groups.
//
// It is not for a running Kafka (mirroring is another thing), nor for one that
// keeps its metadata in ZooKeeper.
//
// Main types: Options, Result, Refused.
//
// Files in reading order:
//   - import.go: Options, Run, the order of steps
//   - source.go: what Kafka's directories are, and holding them
//   - metadata.go: Kafka's metadata log, replayed
//   - plan.go: which partition lies where
//   - translate.go: Kafka's metadata as a cluster of this one node
//   - target.go: the directory that is filled, and its marker
//   - copy.go: files copied or linked; Kafka's checkpoints merged
//   - logs.go: every log opened (which recovers it) and compared
//   - seed.go: the metadata log of the new node
//
// # Order, and what a crash leaves
//
// The marker ottla.import is written and synced first; under it the directory is
// refused to nodes. Then files are copied and synced, every log is opened and
// closed, the metadata log is written, everything is compared with the source,
// and last the mark ottla.properties makes the directory a node's. A crash
// before that leaves the marker, and the next import clears the directory and
// begins anew.
//
// Invariants: nothing in the source is ever written, and a read lock on its
// .lock file keeps Kafka from starting meanwhile; only files that no recovery
// can touch are linked; what does not come out equal, batch by batch, fails the
// import.
//
// Ownership: Run is one goroutine's; it leaves nothing running.
//
// Sources: KIP-631 and KIP-630 (metadata log and snapshots), KIP-858
// (meta.properties, directory ids), Kafka's LogManager (checkpoints).
package logimport
