// Package timers brings timers to their coordinators, and their records to their
// topics: the timer.Timers of this node, wherever a timer is coordinated; the
// timer.Carrier of the coordinators of this node; delay lines; and the request by
// which nodes ask each other (own.TimersRequest).
//
// It is not for deciding when what goes (package timer), nor for who may set a
// timer (the event layer).
//
// Main types: Family, which is a timer.Timers; Carrier; Lines.
//
// Files in reading order: family.go, ask.go (Set, Cancel and Get, sorted by who
// coordinates), topic.go (all timers for a topic), far.go (those of other nodes),
// serve.go (what other nodes ask here); carrier.go (a flight), payload.go (what timers
// hold, read again), ids.go, topics.go; lines.go, line.go, line_read.go and delay.go
// (delay lines), settle.go (the domain clock), metrics.go.
//
// # Delay lines
//
// A topic with deliver.to=ORDERS is a line: what is produced to it is appended to
// ORDERS when its header deliver-at (milliseconds since 1970, or RFC 3339) or
// deliver-after (milliseconds, or a duration like 90s, after its own time) says. One
// goroutine for each of its partitions that this node leads reads what is committed
// and gives it to the coordinator of timers, which stores the timers and how far the
// line is read together: each record becomes one timer, whatever is killed when.
//
// # Ownership
//
// A Family's methods may be called from any goroutine. Close of a Carrier waits for
// all it began, whose contexts must have ended; Close of Lines ends theirs.
package timers
