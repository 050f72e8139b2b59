// Package client has the clients of a recorded run: franz-go producers,
// consumers by assignment and by group of every kind, an admin, and a watcher of
// committed offsets and log ends. Each writes what it did and was told into a
// history; what a history has no place for (what a share group took, which topics
// there are) is kept here, and judged by Shared and Final.
//
// It judges nothing (package history does) and makes no faults (test/faults
// does). Transactions that consume too, and clients that are killed, are of
// test/transactions, whose clients are processes of their own.
//
// Main types: Cluster (what all clients share), Crew (all of them together).
//
// Reading order: cluster.go, line.go, producer.go, transact.go, consumer.go, member.go, shared.go,
// streaming.go, admin.go, watch.go, crew.go.
//
// Invariants: a value is produced once; what may have taken place is info, and
// only what surely did not is fail; a client that begins anew is a new process.
package client
