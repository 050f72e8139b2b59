// Package txn decides for transactions: who may produce under a transactional
// id, which partitions a transaction has, whether it commits, and when its end
// is complete. It is pure: a coordinator.Machine over the records of one
// partition of __transaction_state, run by package coordinator.
//
// It is not for sockets and requests (kafka/txns), not for the bytes of
// records (txn/schema), and not for writing markers into partitions: whoever
// can do that is a Markers.
//
// Main types: Machine; the commands (Init, Add, Verify, End, …) and their
// replies; Marker and Markers.
//
// Files in reading order: commands.go, state.go, entry.go (what is known of a
// transactional id), partitions.go, machine.go (the table of commands; Apply),
// turn.go (one Step in the making; who waits), init.go, add.go, end.go,
// complete.go, expire.go, show.go, options.go.
//
// # The end of a transaction
//
// A transaction is Empty, then Ongoing with the first partition. Its end is
// decided by one record, PrepareCommit or PrepareAbort. When that is committed,
// the markers are written into all partitions, side by side. When they are all
// synced and visible, whoever asked for the end is answered, and the record
// Complete* follows, for which nobody waits: if it is lost with the node, the
// next leader of the partition finds Prepare*, writes the markers again, which
// changes nothing, and completes. So an end costs two rounds of sync, and the
// producer's next command never meets an end that still goes on.
//
// Another producer's Init, and time that runs out, abort what is open with an
// epoch that its owner does not have. The Init is parked until the abort is
// complete; so is everything else that comes for a decided transaction. What
// has waited for long hears CONCURRENT_TRANSACTIONS.
//
// # Invariants
//
// A Step changes nothing; durable state changes in Apply alone, soft state in
// Output.Accepted. A decision is never changed and never taken back. A marker
// is not begun before its decision is committed. An End is not answered before
// every partition has its marker. The epoch of a producer id never goes down.
// A parked command is answered within its patience. Nothing hangs on the order
// of a map.
//
// Sources: KIP-98, KIP-360 (Init with what the producer has), KIP-447,
// KIP-588, KIP-664 (list and describe), KIP-890 (verification; the epoch rises
// with each end), KIP-915 (tagged fields), KIP-994 (filters), KIP-1152 (the
// filter by pattern), KIP-1228; answers of a 4.4 broker where those are silent.
package txn
