// Command tools runs a script of Kafka's own command-line tools against the
// real Kafka and against Ottla and compares what they print, line by line; and
// those of `ottla kafka` beside them, against another Ottla node, each with
// Kafka's tool of its name.
//
//	go run ./test/tools [-native] [-apart] [-binary FILE] [-only REGEXP] [-v]
//	go run ./test/tools -nodes 3 [-short] …
//
// Identifiers, times, ports and paths are masked. It prints every line that
// differs; those that package known lists are only counted, any other makes
// the exit status 1. At the end Ottla is stopped and kafka-dump-log reads all
// its files: segments, indexes, snapshots and the metadata log; any complaint
// of it fails the run too.
//
// Kafka's tools run in one JVM a side (with -apart, each call in its own): the
// start of a JVM would be most of the time. With -native there is no Kafka, and
// only the tools are compared. With -nodes 3 there are three nodes of either, and
// a script of its own: what tells of several nodes, moves replicas and leaders,
// and shows that a node is away; -short is what CI runs of it.
//
// Reading order: main.go, trial.go (the sides and the run), script*.go (the
// steps), share.go (those of share groups), streams.go (those of streams groups),
// native.go (which steps ottla kafka can do, and odd calls), txns.go (steps that
// no tool of Kafka's can do), cluster.go (those about several nodes), side.go (running them on one side), places.go
// (words that stand for what is a side's own), mask.go, compare.go, dump.go (kafka-dump-log).
package main
