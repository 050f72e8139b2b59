// Package course decides what a runner of events remembers and where its cursors
// are: what a published source means for what is known of its targets, which targets
// leave the pass and come back, and when an event at a target is given up. It is pure.
//
// It is not for reading, matching or writing events (event/run).
//
// Main types: State (of one runner), Rule, Branch, Replay (what its records say),
// Table (which events each target takes).
//
// Files in reading order: state.go, take.go, retry.go.
//
// # What is remembered
//
// A Seat is a runner's: the id of a source and a partition of its topic. The records of
// a seat lie in one partition of the state topic:
//
//	ID/P                        Main: everything below At is decided by the pass
//	ID/P/rule/RULE              Rule: the version that was taken up, and its targets
//	ID/P/branch/REPLAY/TARGET   Branch: a target with a cursor of its own, live or of a replay's id
//	ID/P/replay/REPLAY          Replay: how far the one with the id is
//
// # Invariants
//
//   - A target is in exactly one place: in the pass, or in a branch. It changes by the
//     record of the branch, in the transaction that the pass's cursor is written in.
//   - A target that is heard of when the pass is beyond its From owes what lies between:
//     it begins as a branch there.
//   - A target that is known goes on where it is, whatever its From says.
package course
