// Package course decides what becomes of a schedule: which of its runs are due,
// which are tried again and when, which are given up, and when to look again. It
// is pure: the same state and time give the same decisions at every node.
//
// It is not for how a run is delivered, nor for where the state is kept (package
// schedule).
//
// Main types: Timing (what the definition says), State (what has happened),
// Turn (what to do now), Step and Settle (the two things that can happen),
// Look (when to come back).
//
// Files in reading order: course.go, step.go (runs that become due), settle.go
// (what came of an attempt), spread.go (windows and waits between attempts).
//
// # Rules
//
//   - A run is named by its slot: the time at which its expression has it. Slots
//     are decided in order, each once: State.LastMs is the last one.
//   - A run that was decided waits in State.Waiting until it is delivered, or given
//     up and its letter written or dropped. At most mostWaiting of a schedule do; later runs wait for room.
//   - A run is missed when it is decided a minute or more after its time. What
//     then happens is Timing.Missed. None is made up for that is older than
//     Retry.MaxAgeMs.
//   - A slot before Timing.SinceMs is no run: the timing was not yet that.
//   - Attempts of an exact target begin and end within one turn. Those of others
//     are Flying meanwhile; Resume, after the process was another, lets them begin
//     again.
package course
