// Package producer is what one partition knows of its producers: their epochs,
// the last five batches of each, their open transactions, and with that the
// first unstable offset. It decides whether a batch is new, a duplicate, out of
// order or fenced (KIP-98, KIP-360, KIP-890).
//
// It is not for anything that a transaction coordinator decides: State only
// follows the log, and Guards only remember whom a coordinator is being asked
// about.
//
// Main types: State, Verdict, Aborted, Info; Guards, Guard.
//
// Files in reading order:
//   - state.go: State, Apply, expiry, listing
//   - check.go: the rules for a batch and for a marker that want in
//   - guards.go: transactions that their coordinator must vouch for
//   - entry.go: one producer and its window of five
//   - transactions.go: open and decided transactions, the first unstable offset
//   - snapshot.go: Kafka's snapshot file
//   - full.go: our own encoding, which keeps the whole window
//   - last.go: what compaction must leave of a producer
//
// Invariants: Check changes nothing; Apply alone does, and for the same log it
// always makes the same state; a producer's remembered batches all have its
// current epoch; the list of open transactions is ordered by first offset; the
// hot path (Check and Apply of a known producer) allocates nothing; no output
// hangs on map order.
//
// Ownership: a State belongs to one log, whose lock guards it. Every method
// needs that lock exclusively but Check, HasOpenTxn, CheckMarker, Snapshot,
// AppendFull, List, Lasts, InTxn, Remembers and Len, which only read. Guards belong to the
// partition, and are guarded with the log's writers.
//
// Sources: KIP-98 (idempotence, transactions), KIP-360 (producers outlive
// their records), KIP-664 (DescribeProducers), KIP-890 (epoch bump on each
// end), and Kafka 4.4's ProducerSnapshot schema.
package producer
