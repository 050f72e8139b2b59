// Package election decides what becomes of one partition when its replicas, or
// those that live, change: who leads, who counts as in sync, who is eligible to
// lead later (KIP-966), and when a reassignment is done (KIP-455). It is pure:
// a partition, what it shall become and the rules of its topic come in, at most
// one record goes out.
//
// It is not for finding out which partitions are touched, nor who may ask for
// what: that is package controller's.
//
// # Main types
//
//   - Change: what a partition shall become.
//   - Rules: what holds for its topic, and which replicas could lead.
//   - Decide: the record that follows, nil where nothing does.
//
// # Files, in reading order
//
//	change.go    Change, Rules, Decide: the steps in their order
//	leader.go    who leads
//	eligible.go  who could lead later
//	lists.go     lists of brokers
//
// # Invariants, for partitions that keep them and a Change that asks for nothing odd
//
//   - A leader is in the ISR, the ISR is a part of the replicas, and so are the
//     eligible and last leaders; no replica is both in sync and eligible.
//   - The ISR is empty only where ELR or LastELR say who may lead. (Package
//     controller takes a replica from both when it began anew in another
//     directory: then only an order makes it lead.)
//   - A clean election takes a replica from the ISR, or where that is empty from
//     the eligible ones. Every other one sets the recovery state.
//   - While fewer than min.insync.replicas are in sync, the high watermark does
//     not move (the leader sees to that), so a replica that was in sync at the
//     time keeps all committed records: it is eligible until the ISR is large
//     enough again, or until it may have lost some.
//   - The leader epoch rises with the leader, and when a replica is taken from
//     the partition, so that it cannot be let back in by an old leader.
//
// # Sources
//
// KIP-497 and KIP-903 (AlterPartition), KIP-455 (reassignment), KIP-704 (leader
// recovery), KIP-966 (eligible leader replicas and the last known leader).
package election
