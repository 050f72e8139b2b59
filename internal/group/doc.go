// Package group decides for classic consumer groups: who is a member, when a
// rebalance begins and ends, which protocol is used, and which offsets are
// committed. It is pure: a coordinator.Machine over the records of one
// partition of __consumer_offsets, run by package coordinator.
//
// It is not for sockets and requests (kafka/groups), not for the bytes of
// records (group/schema), and not for what the newer kinds of group decide: each
// is a package below this one and plugs in by the seam of group/kind. Records of
// types that nobody knows are kept aside as they are.
//
// Main types: Machine; the commands (Join, Sync, Heartbeat, Leave, Commit,
// Fetch, …) and their replies; live (a group's members and its rebalance);
// turn (one Step in the making).
//
// Files in reading order: commands.go, state.go (states and their
// transitions), member.go, machine.go (the table of commands; Apply), turn.go,
// join.go, static.go, rebalance.go, sync.go, session.go, offsets.go, commit.go,
// delete.go, retention.go, show.go, snapshot.go, kinds.go (the other kinds),
// options.go.
//
// # Kinds of group
//
// A kind (group/consumer, group/sharegroup, group/streams) is a kind.Kind that
// Settings.Kinds makes for each machine. The machine gives it the records of its types
// (Kind.Owns), the commands that are not the machine's own (Kind.Step, by the
// command's Go type), its timers and the results of its work (they come back
// through Step), and its part of a snapshot (Kind.Records). What every group
// has is done here for all kinds alike: List and the kind's name in it (Show),
// Delete (Show, then Bury), committed offsets with their expiry (Subscribed,
// Expires), and the checks of who commits and reads them (kind.Committer;
// groups of a kind without it have none). Requests of the classic protocol to a
// group of a kind go to it if it is kind.Mixed, and hear the error of the wrong
// type if not. A kind asks the machine whose an id is (kind.Host); an id has
// one type at a time. So another kind needs: record values in group/schema, a
// package with commands, replies and a kind.Kind, and a line where the server
// makes group.Settings.
//
// A rebalance, in words: a join of someone new, a leader's join, a leave or a
// lapsed session bring PreparingRebalance; heartbeats tell the members to join
// again; when all have, or the longest rebalance timeout is over, the
// generation rises, joins are answered, and the leader is told all members
// (CompletingRebalance); its sync brings the assignment, which is stored, and
// all syncs are answered (Stable).
//
// Invariants: a Step changes nothing; soft state changes in Output.Accepted,
// by installing a copy, and durable state in Apply alone. A generation number
// never goes down while the machine lives, and one that was stored never goes
// down at all. The leader of a group with members is a member. Every request
// that was parked is answered by the turn that ends its wait. Nothing hangs on
// the order of a map.
//
// Ownership: bytes in commands and records' values are the machine's; replies
// share its slices and must not be changed.
//
// Sources: KIP-134, KIP-211, KIP-345, KIP-389, KIP-394, KIP-429, KIP-447,
// KIP-496, KIP-559, KIP-814; answers of a 4.4 broker where those are silent.
package group
