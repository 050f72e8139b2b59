// Package log is the heart of Ottla: a directory of logs, each a list of
// segment files in Kafka's own format, made durable by group commit.
//
// It is not for deciding what may be appended (package partition: leader,
// sequence, isolation) nor for waiting (whoever waits, waits on OnDurable), and
// it starts no goroutine: write, sync, checkpoint, clean up and recover are
// steps that return, so a shell can loop over them and a simulation can stop
// between any two.
//
// Main types: Dir (one log directory and its steps), Log (one partition),
// Slice (bytes of a segment, borrowed), Position, Config, Recovery,
// CorruptError.
//
// Files in reading order:
//   - config.go: settings, positions, errors
//   - dir.go, log.go: the two types and their state
//   - segment.go: a segment, its indexes in memory, how they are loaded
//   - append.go, roll.go: the way in
//   - sync.go: dirty logs, sync rounds, directory entries, closed segments that
//     no round syncs
//   - read.go, verify.go, descriptors.go: the way out; checksums that are no
//     longer trusted, scan and scrub; open files
//   - mend.go: what is damaged, and bytes of another replica put in its place
//   - lookup.go: by time; aborted transactions
//   - replay.go: the state of producers at a place
//   - checkpoint.go: what a restart goes by
//   - open.go, recovery.go, recovery_from.go, recovery_end.go: opening, from where
//     to walk, walking the tail, cutting it
//   - doubt.go: what a recovery found and nobody has settled yet
//   - trim.go, start_at.go: both ends: truncation, log start offset, retention; a
//     log that begins again elsewhere
//   - clean.go, clean_swap.go: compaction, from what is due to segments put in
//     place (what stays is decided in compact)
//   - move.go, move_end.go, move_find.go: to another directory while it is used
//   - housekeep.go, delete.go, close.go: chores, removal, the clean stop
//   - parts: index (sparse indexes), derive (what the batches of a segment give
//     again), epoch (leader epochs), checkpoint (small files), book (the
//     directory's checkpoint), mark (where a restart may go on), walk (batch by
//     batch through a file), ring (where the last batches end), layout (names,
//     leftovers), trash (what is to be removed), compact (what compaction keeps),
//     note (a file beside a log), syncway (single files or the whole file
//     system), room (full disks)
//
// Invariants:
//   - Durable never passes what a sync that returned success has covered, data
//     and directory entries; it moves back only with TruncateTo.
//   - Below the recovery point nothing is ever cut; above it the log ends at the
//     first batch that is not whole, sound and in order, and what follows is
//     kept in a .cut file. Then its end is in doubt (Doubted): it may have been
//     damaged, and not merely torn. Whose owner settles doubts has them at every
//     start until it has: they are on disk before anything is cut.
//   - Inside a segment of a log that was never compacted offsets follow each
//     other: a gap is loss, and reads say so. A rightful gap (an append beyond
//     the end) begins a segment, and the checkpoint knows it first.
//   - The log start offset is on disk before a segment below it is deleted, a
//     lower recovery point before a truncation, the transaction index before
//     the checkpoint that relies on it.
//   - A failed sync is final for the directory; a full disk passes.
//   - A cleaned segment and what it was made from are never both part of a log
//     that comes back: sources go only when the .swap is durable, the .swap gets
//     its name only when their end is.
//   - Append, Read at a known place and SyncRound allocate nothing.
//
// Locks: a Log has cleaning.mu (held by a cleaning from beginning to end; Close and
// Delete wait for it), then w (held by writers and by the chores of steps on this log),
// then load (slow work on index files), then mu (everything that readers see;
// short, never across I/O). Dir.mu, the dirty set's and the caches' are leaves,
// taken with none or any of these held; a step never holds one while it calls
// into a log. OnDurable is called with no lock held, by SyncRound or Sync;
// OnOffline likewise, never from inside a writer's call.
//
// Sources: Kafka's log layout (docs/format/log.md draws the bytes), KIP-98,
// KIP-101, KIP-279; docs/durability.md holds the contract.
package log
