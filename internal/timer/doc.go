// Package timer decides when records that were given for later are appended to
// their topics. It is pure: a coordinator.Machine over the records of one
// partition of __ottla_timers, run by package coordinator.
//
// It is not for reading payloads and appending (a Carrier, package
// kafka/timers), not for the bytes of records (timer/schema), and not for who may
// set a timer (the doors).
//
// Main types: Timer and Timers, which are what others use; Machine; the commands
// (Set, Cancel, Find, TakeUp, Settle, …) and their replies; Flight and Carrier.
//
// Files in reading order: timers.go, commands.go, flight.go, target.go (a partition
// that timers are appended to), machine.go (the table of commands; Apply),
// turn.go (one Step in the making; who waits), set.go, clear.go (all timers for a
// topic), line.go, due.go (from the heap to targets), plan.go (from targets to
// flights), land.go (what became of a flight), settle.go, list.go (snapshots),
// spread.go, options.go.
//
// # How a timer is appended exactly once
//
// A timer's record lies in the log with its payload; in memory is when it is due
// and where it lies (timer/table). When timers are due, one record of their target
// decides that they go: which ones, in one batch with the sequence that comes next
// for the shard's producer there. When that is committed the payloads are read
// again and the batch is appended. If the node dies anywhere, the next leader
// finds the decision, makes the same batch of the same bytes, and appends it with
// the same sequence: where it is already, the partition knows it and does not
// write it again. When it is there the timers' tombstones and the target's next
// state are one batch of the log, and nobody waits for them. So a timer costs two
// rounds of sync, nothing is written that could be undone, and no reader sees a
// record twice, whatever its isolation. (A transaction would cost four rounds, hold
// the target's last stable offset back, and show what it aborts to everybody who
// reads uncommitted, as most do.)
//
// A target has one flight at a time: what becomes due meanwhile is the next one.
// A target that cannot be appended to holds up its own timers alone.
//
// # Invariants
//
// A Step changes nothing; durable state changes in Apply alone, soft state in
// Output.Accepted. A flight is not begun before its decision is committed, and
// never changed. What flies can be neither cancelled nor replaced: a Set of its key
// waits for its end. Sequences of a target follow each other without a gap.
// Timers of one target go in the order of their times, those of one time in the
// order in which they were set. Nothing hangs on the order of a map.
//
// # Clocks
//
// Due times are the domain clock's (Command.Wall); what a Step waits for goes by
// the other one. When the domain clock was moved, Settle looks at it again and is
// answered when all that is due has landed.
//
// Sources: KIP-98 (producer ids and sequences).
package timer
