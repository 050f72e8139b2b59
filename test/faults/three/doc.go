// Package three is `go run ./test/faults -nodes 3`: a cluster of processes under
// load, to which one fault after the other is done, and the history of what its
// clients saw, judged at the end.
//
// The load: idempotent producers, transactional ones, readers by assignment at
// both isolation levels, and the members of two groups (package
// test/history/client), on one topic with three replicas, two of which must be
// in sync. The faults (deeds.go) come in an order drawn from a seed, each as
// often as any other; after each the cluster heals, writes go on, and before the
// next that takes a replica away all are in sync again. How often each was done
// and how long writes stood still is in the table at the end.
//
// With one node the faults are those that one node has: what the program itself
// does is seen to work before there is a cluster.
//
// Reading order: run.go (a run from nothing to its verdict), stage.go (cluster
// and load), deeds.go (the faults), table.go.
//
// Sources: the list of faults is that of test/faults; rows 1 to 3, 19, 21, 29 and
// 30 of it.
package three
