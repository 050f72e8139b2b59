// Package quorum keeps the metadata log in consensus: it gives commands to a
// state machine (the controller), makes what it decides durable on a majority,
// and shows the committed image to the rest of the node. Today a quorum has
// one voter; the code is that of three.
//
// What it is not for: what the metadata mean (packages metadata and
// controller), acting on them (package broker), sending messages between nodes
// (a transport hands them to the member once there is one).
//
// Main types: Node, Options, Machine, Status, Voter.
//
// Files in reading order: options.go; node.go (goroutine, mailbox, life);
// member.go (the part without goroutine, clock or lock), turn.go (commands and
// replies), write.go (log and image), snapshots.go, status.go; recover.go
// (what a start finds); then the formats: entry.go (entry and batch),
// control.go (control records), voters.go (who takes part), state.go
// (quorum-state), snapshot.go and checkpoints.go (snapshots); storage.go and
// index.go (what the Raft library reads), journal.go (the log), raftlogger.go.
//
// # Rules
//
//   - One entry of the Raft log is one batch of __cluster_metadata, its term
//     the leader epoch. Its index is kept beside the Kafka offset and never
//     taken for it: snapshots carry the index, the batches behind are counted.
//   - The machine's state changes by accepted records and nowhere else: they
//     apply when the library has taken them as a proposal, so the next command
//     sees them. Every reply, a refusal's too, leaves when all that it may
//     have seen is committed and OnImage has run for it.
//   - A refusal before acceptance fails that command alone. What was accepted
//     and is lost (a failed write, a lost leadership) sends the machine back
//     to the committed image and tells the waiters that the outcome is open;
//     a full disk passes, any other failure of the log is final.
//   - Term and vote are synced before anything follows from them, entries
//     before they count. A sole voter's recovered and synced log is committed.
//   - A damaged file is never an empty one: the start is refused. Of snapshots
//     two are kept, so that one may rot.
//   - A Raft id is a hash of node id and directory id: a wiped disk is another
//     member.
//
// # Ownership
//
// Node.run owns the member and everything in it; other goroutines reach it
// through the mailbox, the image and the status (atomic pointers). One
// goroutine at a time writes a snapshot, of an immutable image. With one voter
// no clock ticks: an idle quorum of one costs nothing.
//
// # Files
//
// In __cluster_metadata-0: Kafka's segments, quorum-state (KRaft's JSON with
// fields of ours and a checksum), and END-EPOCH.checkpoint (KIP-630: header,
// voters, records, footer; ours adds Raft index, configuration and cluster id
// as record headers, which Kafka's tools pass over).
//
// Sources: Raft (Ongaro and Ousterhout), go.etcd.io/raft; KIP-595, KIP-630,
// KIP-853.
package quorum
