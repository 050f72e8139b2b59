// Package coordinator gives every state machine that lives on an internal
// topic the same life: groups on __consumer_offsets, transactions on
// __transaction_state, share-partitions on __share_group_state; timers are to
// stand on it too. A shard is one partition of the topic with its machine.
//
// What it is not for: what the machines decide (package group and its like),
// what a partition is (package broker makes a Tail of one), requests (the
// doors).
//
// Main types: Machine, with Command, Output and Record, which is what a
// coordinator implements; Tail, which is what it is written to; Runtime, which
// is what the doors ask.
//
// Files, in reading order: machine.go and tail.go (the two seams), core.go (a
// turn), accept.go (from records to the log, and what happens when they are
// lost), load.go, tick.go (what the clock asks for), replies.go, timers.go,
// snapshot.go and snapshot_file.go; then the shell: inbox.go, shard.go (goroutine and mailbox),
// doubt.go (a node that is cut off), runtime.go (all shards of a topic), hash.go (which one has a key),
// home.go (on which node),
// options.go, metrics.go, errors.go.
//
// # Rules
//
//   - A turn takes what waits: timers that are due, results of work, commands.
//     Each is stepped, then its records are accepted (given their place at the
//     end of the log), then applied, then its soft changes are made; so the
//     next one sees them. All records of a turn are one batch, if they fit, and
//     one write; turns that are written while a sync runs share the next one.
//     What nobody needs (Output.Lazy) waits a moment for company.
//   - State changes by applying accepted records and nowhere else, live, at a
//     load and at a failover alike. Soft state is changed by Output.Accepted
//     and may vanish.
//   - Every reply, a read's and a refusal's too, leaves when all records that
//     were accepted before it are committed, in the order they were decided. So
//     nobody is told what may be undone. Reply.Now is for what rests on nothing
//     that is not committed: that a transaction's markers are written.
//   - A leader that does not know yet that it is over has nothing committed any
//     more, but it could still be read. So reads that must be exact (Exact) are
//     refused while another may have taken over (Options.Trusted): a lease that
//     heartbeats renew, without a round trip for each read; and so are last words
//     of other commands that wrote nothing (Firm, and errors on which nobody asks
//     again). Where the node is cut off (Options.Mute) everything is refused, and
//     who waits is let go, so that members look for the coordinator that may have
//     taken its place (doubt.go).
//   - When the node is about to stop (LetGo) nobody is kept waiting for what others may
//     never do: a member that waits for its group hears NOT_COORDINATOR. What is
//     decided is told when it is committed.
//   - A refusal before acceptance (too large for a batch, too few replicas in
//     sync, a fenced producer) fails that command alone and changes nothing.
//   - There is no way back from an accepted record but to forget everything and
//     load again: after a failed write, after the lead was lost, after anybody
//     else wrote to the log. Whoever waits hears NOT_COORDINATOR. After a
//     failed write the shard is careful until one succeeds: each command's
//     records are written before they are applied, so a full disk fails them
//     one by one and does not make the shard load again and again.
//   - Records of a transaction are batches of their own, written before they
//     are applied, for the log may refuse them.
//   - A load waits until everything in the log is committed, and reads that.
//     While it goes on commands hear COORDINATOR_LOAD_IN_PROGRESS. The first
//     command after it is Loaded.
//   - A snapshot only spares reading. It holds committed records, its file is
//     checked whole, and whatever is wrong with it means that the whole log is
//     read. Compaction drops it first.
//   - Timers are commands, on the clock that was handed in. So are the results
//     of work, which runs beside the shard: at most one piece a processor of
//     what computes, any number of what only waits. Work that others will see
//     begins when what decided it is committed.
//
// # Ownership
//
// shard.run owns the core and everything in it, the machine included. Others
// reach it through the inbox (its mutex is held for moments, never over a
// call) and see its phase through an atomic, which Lead, Expect and Resign set
// ahead of the core: from then on there is a load to wait for, whatever the core
// is still at. shard.mu guards the leadership at hand, Runtime.mu the map of
// shards; order: Runtime.mu or shard.mu, then the inbox's. Replies are given on
// the owner's goroutine. A shard costs one goroutine and, idle, no timer. Close
// waits for all shards and all work.
//
// The core has no goroutine, lock or clock; the stories in testdata step it by
// hand.
//
// Sources: KIP-848 (the coordinator runtime), KIP-447 and KIP-98
// (transactional offsets), KIP-890.
package coordinator
