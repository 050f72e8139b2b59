// Command recovery measures how fast a cluster of three processes comes back:
// its nodes are killed, stopped, restarted, frozen and cut off one trial after the other
// while clients write, change metadata and consume in groups, and the longest
// time without a success is what counts. After that it makes 10,000 partition
// replicas, looks what they cost at rest, and kills a node that leads a third of
// them, again and again.
//
//	go run ./test/recovery               20 trials of each
//	go run ./test/recovery -trials 5 -only kill,many
//
// It prints a table with the goal beside each figure and ends with 1 when one is
// missed. It is for hand, on a quiet machine, and not for CI: what is too slow on
// a busy one says little.
//
// # What is measured, and with what
//
// "direct" asks all three nodes at once, every few milliseconds, and knows no
// back-off: it is the cluster's own time. "client" is franz-go with a
// retry.backoff and a least age of metadata of 20 ms, and is what goals are
// judged by; "client with its defaults" is what an application sees that sets
// nothing, and that has not asked for metadata within the last seconds. A figure
// is the longest gap between two successes from the moment of the fault on, so it
// has what clients add.
//
// # Files, in reading order
//
//	main.go     flags, the parts of a run
//	table.go    figures, goals, the verdict
//	pulse.go    when something succeeded, and the gaps between
//	stage.go    the cluster, and when it is whole
//	writers.go  who writes
//	changes.go  who changes metadata
//	groups.go   who consumes
//	faults.go   trials with a load
//	cut.go      those in which a node is cut off
//	many.go     many partitions
//	cost.go     what a cluster at rest costs
//
// # Invariants
//
// A trial begins with all nodes in sync and every partition led where it belongs;
// whoever is measured has succeeded just before. No process, mount or namespace
// is left behind.
package main
