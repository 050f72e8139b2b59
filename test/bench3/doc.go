// Command bench3 measures three nodes of Ottla beside three of Apache Kafka on
// this machine: every partition has three replicas, min.insync.replicas is 2, and
// producers ask for acks=all.
//
//	go run ./test/bench3 [-only NAME,...] [-pairs N] [-gb N] [-seconds N] [-binary FILE] [-dir DIR] [-keep-busy]
//	go run ./test/bench3 -run NAME [-repeat N]      one measure against Ottla alone, for a profiler
//
// The runs alternate, Kafka, Ottla, Kafka, Ottla; a measure's figure is the median
// of the ratios pair by pair. The CPU is that of all three processes together, user
// and system. A pair during which others took more than half a core is thrown
// away and measured again, as often as pairs are asked for; -keep-busy keeps it,
// for a machine that is never quiet (such figures say little).
//
// It exits with status 1 when a ratio falls short of its goal.
//
// All six processes and the load share the machine's processors and its disk: the
// ratios compare what the two cost, not how three machines would scale.
//
// Reading order: main.go, measures.go (what is measured, and the goals), pairs.go
// (alternation, warming up), sides.go (the two clusters), topic.go, produce.go
// (batches encoded beforehand over plain sockets), batch.go, endtoend.go (a record
// at a time through a client), disk.go (what the disk does alone). Figures, CPU and
// the table are package beside.
package main
