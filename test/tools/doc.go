// Command tools runs a script of Kafka's own command-line tools against the
// real Kafka and against Ottla and compares what they print, line by line.
//
//	go run ./test/tools [-native] [-binary FILE] [-only REGEXP] [-v]
//
// Identifiers, times, ports and paths are masked. It prints every line that
// differs; those that package known lists are only counted, any other makes
// the exit status 1. At the end Ottla is stopped and kafka-dump-log reads all
// its files: segments, indexes, snapshots and the metadata log; any complaint
// of it fails the run too.
//
// With -native it compares tools instead of brokers: Kafka's own and those of
// `ottla kafka`, each against an Ottla node.
//
// Reading order: main.go, script*.go (the steps), share.go (those of share
// groups), streams.go (those of streams groups), txns.go (steps that no tool of
// Kafka's can do), side.go (running them on one
// side), mask.go, compare.go, dump.go (kafka-dump-log),
// native.go (the other comparison).
package main
