// Package mark keeps the places of a log from which a restart can go on: what
// its producers looked like there, and what the active segment did. Which of
// them a checkpoint may name depends on what is durable.
//
// It is not for taking marks (only the log's writer can), nor for writing them.
//
// Files: set.go. A Set is guarded by the log's lock. It is pure.
//
// Invariants: marks rise; below the good one everything is durable; a mark that
// a roll left survives until it is good or the log is cut below it, so that a log
// whose end is never durable still comes forward, segment by segment.
package mark
