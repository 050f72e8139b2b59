// Command cron compares when our cron expressions run with croniter (PyPI) and
// cron-parser (npm): expressions drawn by a seed, ten years, zones that move their
// clocks in different ways. Where the two agree, ours must be the same, run for
// run; where they do not, it is told which of them ours is like. One difference is
// meant: a time that clocks skip has no run, and one that they show twice has one, as
// EventBridge Scheduler has it, where the others may move the first behind the gap
// and run the second twice. Such runs are counted apart.
//
//	go run ./test/cron            all, some minutes
//	go run ./test/cron -short     what CI runs
//
// It needs python3, node and npm, and installs both packages into the user's
// cache. Expressions with many runs are compared around each move of the clocks,
// the others over all ten years.
//
// Files in reading order: main.go, draw.go (expressions, in three dialects),
// others.go (the two programs), judge.go.
package main
