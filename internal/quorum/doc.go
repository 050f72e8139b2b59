// Package quorum keeps the metadata log in consensus: it gives commands to a
// state machine (the controller), makes what it decides durable on a majority,
// and shows the committed image to the rest of the node. A quorum of one runs
// the code of several and pays for none of them.
//
// What it is not for: what the metadata mean (packages metadata and
// controller), acting on them (package broker), connections between nodes
// (package peer carries frames: Options.Send here, Node.Receive there).
//
// Main types: Node, Options, Machine, Status, Voter, MembershipChange,
// JoinRequest.
//
// Files in reading order: options.go; node.go and remote.go (goroutine,
// mailboxes, life); member.go (the part without goroutine, clock or lock),
// turn.go and waiters.go (commands and replies, who leads), write.go (log and image),
// change.go (who takes part), status.go; between members: frame.go (the bytes),
// exchange.go (messages), ship.go and take.go (snapshots on their way),
// install.go (their taking effect); recover.go and joining.go (what a start
// finds), snapshots.go; then the formats: entry.go (entry and batch), control.go
// (control records), voters.go (members), state.go (quorum-state), snapshot.go
// and checkpoints.go (snapshots); storage.go and index.go (what the Raft library
// reads), journal.go (the log), raftlogger.go.
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
//     to the committed image. A waiter hears what is known: its reply, when its
//     entry is committed after all; NOT_CONTROLLER, when another leader's took
//     its place; else, after a while, ErrUndecided. A full disk passes, any
//     other failure of the log is final.
//   - Term and vote are synced before anything follows from them, entries
//     before they count. A leader's entries leave for the others while it syncs
//     them itself. A sole voter's recovered and synced log is committed.
//   - Only committed entries are in the image: a follower's tail that gives way
//     to another leader's was never shown.
//   - A snapshot from another member is written aside, checked and synced before
//     it counts; a crash at any step leaves the old state or the new one.
//   - A damaged file is never an empty one: the start is refused, and says how
//     the node comes back. Of snapshots two are kept, so that one may rot.
//   - A Raft id is a hash of node id and directory id and never used again: a
//     member that joins draws a directory id for its metadata log, so that a
//     lost one comes back as another member; ids that were removed are
//     remembered. A learner takes the place of a lost voter of its node once it
//     has caught up.
//   - A leader is given up after 1 to 2 s of silence, or at once where its process
//     is said to have ended (Lost): the voters forget it and stand for election in
//     the order of their ids. The hint may be wrong: who hears the leader votes for
//     nobody.
//   - Changes of the quorum go through the log one at a time, and rely on the
//     votes of those alone that answered just now.
//   - Whatever comes in a frame is checked before the library sees it; what it
//     cannot bear all the same stops this member, not the process.
//
// # Ownership
//
// Node.run owns the member and everything in it; other goroutines reach it
// through the mailboxes, the image, the status and the members (atomic
// pointers). One goroutine at a time writes a snapshot, of an immutable image.
// With nobody else, voter or learner, no clock ticks: an idle quorum of one
// costs nothing.
//
// The simulation (sim_test.go) runs whole quorums under one seed; seeds that
// found something are in testdata/seeds.
//
// # Files
//
// In __cluster_metadata-0: Kafka's segments, quorum-state (KRaft's JSON with
// fields of ours and a checksum), and END-EPOCH.checkpoint (KIP-630: header,
// voters, records, footer; ours adds Raft index, configuration and cluster id
// as record headers, which Kafka's tools pass over; learners and removed ids
// where there are any). A member that joined has directory.id.
//
// Sources: Raft (Ongaro and Ousterhout), go.etcd.io/raft; KIP-595, KIP-630,
// KIP-853.
package quorum
