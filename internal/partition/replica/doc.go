// Package replica is the pure heart of a partition: what one replica decides.
// It knows numbers (offsets, epochs, replica ids), and no file, socket, lock
// or clock; package partition is its shell.
//
// It decides:
//   - the role (leader or follower) and the leader epoch, and which requests
//     are fenced by them (KIP-320): [State.Become], [State.CheckEpoch],
//     [State.CheckLead], [State.Diverges];
//   - who is in sync: the ISR as committed by the controller, the proposal
//     under way, and their union that the high watermark heeds, the maximal
//     ISR (KIP-497): [State.Fetched], [State.Propose], [State.MayJoin],
//     [State.Laggards];
//   - the high watermark and the last stable offset: [State.High],
//     [State.Stable], [Txns];
//   - whether a write may begin and when its answer may leave:
//     [State.MayAppend], [State.Settled].
//
// It does not decide what a batch must look like (record), whether it is a
// duplicate (producer), or where bytes lie (log).
//
// Files, in reading order: state.go, role.go, insync.go, watermark.go,
// txns.go, acks.go.
//
// Invariants, whatever the order of events:
//   - start <= stable <= high <= end while the replica leads, and none of them
//     goes back;
//   - with Synced, high never passes what any member of the maximal ISR, the
//     leader among them, has told to be synced;
//   - an answer that has left says that its records are below high (acks=all)
//     or below what the leader alone counts as kept (acks=1).
//
// Events may overtake each other a little: a sync round can tell that an
// offset is durable before the appender that wrote it has told the new end.
// Only the beginning of a transaction must be told before its first batch can
// become durable ([Txns.Begin]); everything else is safe when it comes late.
//
// Sources: KIP-101, KIP-279, KIP-320 (epochs), KIP-497 (AlterPartition),
// KIP-595 (diverging epoch in Fetch), KIP-966 (the high watermark stands still
// below min.insync.replicas), KIP-98 (last stable offset).
package replica
