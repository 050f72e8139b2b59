// Package follow reads a partition from an offset on, and knows how far it has
// read where there was nothing to read: markers, aborted transactions, batches
// that compaction emptied, offsets that nothing holds. Whoever reads "up to the
// end" needs that; kgo's consumer tells of records only, and its reader would wait
// for one for ever.
//
// It is not for groups, nor for several partitions at a time: those who only wait
// for records have kgo's consumer.
//
// Main type: Partition.
//
// Files in reading order: partition.go (what it gives), fetch.go (one request).
//
// # Rules
//
//   - Only what is committed is given, in the order of the log, each record once,
//     unless the log lost its end: then it is read anew from its beginning.
//   - Offsets that are skipped hold nothing that is committed, and never will: a
//     batch said so, or the log's beginning, or a leader that gave nothing below an
//     offset which it had called stable before it was asked, in the same epoch.
//
// Ownership: one goroutine uses a Partition; End may be called by any. Records
// belong to who got them.
//
// Sources: Kafka's Fetch API; KIP-320 (leader epochs in fetches).
package follow
