// Package three is `go run ./test/faults -nodes 3`: a cluster of processes under
// load, to which one fault after the other is done, and the history of what its
// clients saw, judged at the end.
//
// The load: idempotent producers, transactional ones, readers by assignment at
// both isolation levels, members of groups of every kind (eager, cooperative, of
// the consumer protocol, of a share group, of a streams group), and an admin who
// makes and deletes topics, changes settings, moves a partition and elects leaders
// (package test/history/client), on one topic with three replicas, two of which
// must be in sync. The faults (deeds.go) come in an order drawn from a seed, each as
// often as any other; after each the cluster heals, writes go on, and before the
// next that takes a replica away all are in sync again. How often each was done
// and how long writes stood still is in the table at the end.
//
// What holds: the rules of package test/history; the share group takes every
// record that was acknowledged; topics that were made are there, with ids of their
// own, and deleted ones are not; a flipped bit is mended; no node ends by itself but
// one whose disk fails. How long anything takes is bounded by minutes and otherwise
// told, not judged: the machine may do much else.
//
// With one node the faults are those that one node has: what the program itself
// does is seen to work before there is a cluster.
//
// Reading order: run.go (a run from nothing to its verdict), stage.go (cluster
// and load), deeds.go (the faults), wires.go (those of the network), disks.go,
// rot.go (a flipped bit), members.go (nodes that come and go), table.go.
//
// Sources: the list of faults is that of test/faults; rows 1 to 3, 6, 10, 12, 14,
// 19, 21, 22, 29, 30 and 35 of it.
package three
