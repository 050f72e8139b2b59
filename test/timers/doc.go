// Command timers kills nodes with SIGKILL at random moments while producers write to
// a delay line and schedules are made, and judges at the end what came of it. Every
// record that is in the line is in its topic once, for readers of what is not committed
// as well; every run of a schedule is in its topic, queue, bus or SNS topic once, for
// readers of what is committed; nothing else is; none is dated before its time.
//
//	go run ./test/timers                       100 kills of one node
//	go run ./test/timers -n 20 -seed 7
//	go run ./test/timers -nodes 3              of any of three nodes (Linux)
//
//	go run ./test/timers -figures              how fast, how late, how much memory
//
// Files in reading order: main.go (a run), load.go (who produces and reads),
// schedules.go (who makes schedules), verdict.go and runs.go (the rules), one.go and
// three_linux.go (the nodes), figures.go (what timers cost, on a node in this process).
package main
