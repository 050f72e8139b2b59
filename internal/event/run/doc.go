// Package run gives the events of buses and SNS topics to the targets of their rules:
// to topics, queues, buses and SNS topics exactly once, and to what delivers to
// addresses and functions exactly one parcel.
//
// It is not for which rules there are (event/bus, event/sns publish plans), nor for
// what a runner remembers and when a target leaves the pass (run/course, which decides),
// nor for calling addresses (event/delivery).
//
// Main types: Service; runner, which has one partition of a source; walk, a cursor of
// it.
//
// Files in reading order: service.go (what the server calls), sweep.go (what nobody runs
// any more), mirror.go (the state topic in memory); runner.go (from load to load), pass.go
// (the cursor of all targets), branch.go (a target's own), stay.go (who stays out of the
// pass), replay.go; walk.go (what they share), evict.go
// (what the dead left open), feed.go (reading), decide.go (from events to records),
// output.go and letters.go (what targets get), write.go (transactions); settle.go, status.go;
// trial.go (deciding without writing).
//
// # The pass
//
// The runner of a source's partition is at the node that leads that. Its pass reads,
// matches, renders, and writes what the targets get and its own cursor in one
// transaction, under the id ottla-bus-SOURCE-PARTITION: so a target has an event
// exactly when the cursor is beyond it, and whoever takes over keeps the one before
// out. While a transaction is being committed, the next turn is decided.
//
// # Targets that leave the pass
//
// A target whose topic does not take what is written, within a second, leaves the pass
// by a branch: a cursor and a transactional id of its own. The transaction is given up,
// everything is loaded again, and the pass goes on without the target. A branch that has
// reached the pass's cursor tells it, and is taken back between two turns. A target that
// is heard of late begins as a branch, and one whose rule is paused waits as one. Replays
// are cursors of their own as well.
//
// # Rules
//
//   - Whoever has begun a transactional id reads what the state topic has after that:
//     what another wrote before he was kept out is known.
//   - A cursor that moved past events which nobody wanted is not written at once: they
//     are looked at again after a crash, to no effect.
//   - A target that fails in the pass with many others is not to blame: beyond
//     mostBranches nobody leaves, and the turn is tried again.
//
// # Locks
//
// Service.mu guards the runners; mirror.mu what was read; runner.mu what a runner is
// told and tells. No two are held at once, but for Service.mu before runner.mu. All else
// of a walk belongs to its goroutine.
//
// Sources: KIP-98 and KIP-890 (transactions); EventBridge user guide, "Retry policies"
// and "Dead-letter queues".
package run
