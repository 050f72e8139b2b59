// Command bus kills nodes with SIGKILL at random moments while events are put on a bus,
// and judges what its rules made of them.
//
//	go run ./test/bus                          100 kills of one node
//	go run ./test/bus -kills 20 -seed 7
//	go run ./test/bus -nodes 3                 of any of three nodes (Linux)
//	go run ./test/bus -bench all               kill nothing, and measure (Linux)
//	go run ./test/bus -bench through,latency [-pairs N] [-events N] [-seconds N] [-report]
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
// # Figures
//
// With -bench a durable node of one partition each does something beside something else,
// in turn, and what is judged is the median of the ratios pair by pair, or our own
// number where the goal is one. It exits with status 1 when one falls short, unless
// -report. A pair during which others took more than half a core is thrown away, unless
// -keep-busy; -profile DIR writes a CPU profile of each of our runs.
//
//	through    events of 670 bytes in batches of 128 KiB, until all are in a queue;
//	           beside the same into a topic
//	latency    1,000 events a second, each from when it was due until a consumer of the
//	           queue's topic has it; beside the same of a topic
//	rules      through, on a bus with 100,000 rules of other sources and types, beside
//	           one without
//	webhooks   events until an address was called for each; beside a loop of net/http's
//	           client that makes as many calls, as many at once
//	dead       webhooks, while 16 other targets that never answer get 30 events a second,
//	           beside 16 that answer
//	idle       what each of 2,000 addresses, which had an event, has of the node's memory
//	replay     a replay of what was put, into the same rule; beside through
//
// Files in reading order: main.go (a run), stage.go (buses, rules, places), load.go
// (producers and the address), meddle.go (pauses and the replay), verdict.go (the logs);
// bench_linux.go (figures), node_linux.go, flood_linux.go, through_linux.go,
// latency_linux.go, calls_linux.go.
package main
