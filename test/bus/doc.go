// Command bus kills nodes with SIGKILL at random moments while events are put on a bus,
// and judges what its rules made of them.
//
//	go run ./test/bus                          100 kills of one node
//	go run ./test/bus -kills 20 -seed 7
//	go run ./test/bus -nodes 3                 of any of three nodes (Linux)
//	go run ./test/bus -bench 20s               kill nothing, and measure
//
// Kafka producers put events, each in one of some lanes: a lane is a key. Rules of the
// bus, which has three partitions, take all of them to a topic and to a queue, some to
// a topic by a rule that is paused and goes on again and again, all to another bus whose
// rule takes them to a topic, some to an address that fails often, and some that are too
// large to a queue, whose dead letters are another's. Meanwhile a replay takes what is
// there at a moment to a topic.
//
// At the end, when all has come to rest, the logs are read. What the bus has is in each
// topic and queue that it is for exactly once, and of each lane in order; the address
// has taken each of its events at least once, under one id; each event that is too large
// is a dead letter once; the replay has what its window has, once each.
//
// Files in reading order: main.go (a run), stage.go (buses, rules, places), load.go
// (producers and the address), meddle.go (pauses and the replay), verdict.go (the logs),
// bench.go.
package main
