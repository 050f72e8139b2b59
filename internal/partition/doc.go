// Package partition is one replica of a partition: it takes produced batches,
// answers fetches, and tells those who wait when their records are committed
// or readable.
//
// What is decided is decided in the pure package replica; where bytes lie is
// the business of log; what a batch must look like is record's, and duplicates
// are producer's. This package is the shell between them: it owns the locks,
// the order of things and the waiting. It starts no goroutine, opens no
// socket, and knows nothing of requests.
//
// Main types: [Partition]; [Waiter], [FetchWaiter] and [Feed], which the doors
// implement; [Reporter], which whoever fetches for a follower does.
//
// Files, in reading order: partition.go (the type, its settings and
// snapshots), open.go (open, close, delete), role.go, append.go, prepare.go
// (validation outside the lock), admit.go (what the lock must cover:
// duplicates, transactions), verify.go (whose transaction a coordinator must
// vouch for), commit.go (what moves when the high watermark does), await.go,
// watch.go, fetch.go, fetch_replica.go (what other replicas ask of a leader),
// follow.go (what a follower takes from its leader), isr.go, mend.go (what is
// damaged here and well elsewhere), epochs.go, list_offset.go, delete_records.go,
// chores.go, clean.go (compaction), lead.go (what only a coordinator on the partition
// asks), fault.go (errors).
//
// # The way of a batch
//
// Append validates without a lock. Under mu it looks for duplicates, gives the
// offset and writes to the log; then, under st, it tells the core the new end.
// The log's next sync round calls back with what is durable; the core moves
// the high watermark and last stable offset, and whoever waited for them is
// told: produce answers (Await) after the locks are free, fetches (Watch)
// under st.
//
// # The way of a batch on a follower
//
// Follow tells what to ask the leader with; FetchReplica there answers, and
// takes the offset asked for as the follower's progress. AppendFollower writes
// what came, as it is; TruncateTo cuts off what the leader does not have (by
// leader epochs alone, never by the high watermark); StartOver begins again where
// the leader's log begins. The sync round that makes it durable tells the
// Reporter, who has the leader hear of it (Progress) without waiting for the next
// fetch. Transactions and producers are followed, so that a follower that is
// elected goes on where the leader was.
//
// # Locks
//
// mu serialises the writers of the log: Append, AppendFollower, TruncateTo,
// StartOver, Mend, Become, Configure, Retain, DeleteRecords, Expire, Close, Delete. It is held over the write, not over a
// sync. st guards the core, the waiters and the watchers; it is held for
// moments only and never over I/O. Order: mu, then st, then the locks inside
// log. The log's callbacks (a sync round, or a flush inside Append with mu
// held) take st alone.
//
// The core's role, epoch, replicas and settings change only with both held, so
// either is enough to read them. Offsets are published through atomics after
// each change, and [Partition.Offsets] takes no lock.
//
// Readable and Stirred are called with st held, so after Unwatch has returned it is not
// called any more. Committed is called without st, and by rare calls (Become,
// Configure, DeleteRecords, Close, Delete, an append that flushes) with mu
// held. Neither may wait for a lock that is held around a call of this
// package.
//
// # Invariants
//
//   - Every Waiter is called exactly once: with nil when its records are
//     committed, with an error when that will never be (the lead is lost, the
//     directory is offline, the partition is closed or deleted).
//   - Nobody reads past the high watermark; read_committed readers never past
//     the last stable offset. A transaction is told to the core before its
//     first batch can become durable, so the last stable offset never passes
//     it.
//   - A batch is in the log exactly once whatever its producer repeats
//     (KIP-98), and a duplicate's answer waits until its first append is
//     committed.
//   - A transactional batch is written only while its transaction is open here,
//     or with a guard that no marker and no other leadership came after (KIP-890):
//     none is written behind its end marker.
//   - The epoch entry of a new leader stands before its first append; a follower
//     keeps none that begins at its log end.
//   - A follower counts for the high watermark only with what the leader has
//     compared by epoch, and for the ISR only with what counts (synced, under
//     durability=fsync) up to the start of the leader's epoch.
//   - A follower's log does not start above what is durable in it.
//
// Errors are wire.Code or *wire.Error; a *record.Error with the records it
// names stays in the chain (see fault.go for the whole table).
package partition
