// Package mapping has functions take what lies in queues and topics, as Lambda's event
// source mappings do: in batches, in Lambda's shapes, with what a function reports as
// failed tried again.
//
// It is not for how a function is called (event/function), nor for events of buses and
// SNS topics, which have functions as targets (event/delivery).
//
// Main types: Service, Spec, Mapping.
//
// Files in reading order: spec.go (what a mapping is), errors.go, service.go, define.go
// (what doors call), runner.go (who carries one out), filter.go,
// queue.go, topic.go, group.go, letters.go (how), clock.go (when); shape.go, reported.go (what functions get and answer).
//
// # Rules
//
//   - A mapping is an object (event/object). The node that leads the first partition of
//     its source's topic carries it out; what it keeps lies with the source, so whoever
//     leads next goes on, and after a crash a function gets again what it was about.
//   - Of a queue it is a taker like others: messages that a function took are deleted,
//     those that failed are taken again when the queue's visibility timeout is over, and
//     the queue's own limit of receives makes them dead letters.
//   - Of a topic it has a consumer group without members, whose offsets are committed
//     behind what was taken, or given up, and again each hour, also while the mapping is
//     paused, or its function not declared: offsets of such groups expire. Where they are
//     gone all the same it begins as it did, and passes nothing over that came since. Each partition has one call at a time, of its
//     records in order. A batch that fails is tried again, halved where the mapping says
//     so, until its attempts or the age of its records are over; then its records are
//     dead letters, where there is a queue for them, and are passed over where not.
//   - What fits none of its filters never comes to the function: messages are deleted,
//     records passed over, and only while the mapping is as its runner has it, so that
//     filters which were changed hold for all that was sent after that was answered.
//   - A call waits for its function, which has only so many at once; its deadline begins
//     when it is made. Records and messages wait as long as it takes.
//   - Messages are leased for their window and half a minute, and again while their call is
//     under way: what a node had that was killed is soon free, though not before the queue
//     itself says so.
//   - A runner that was stopped commits what its last call brought only where the group is
//     still as it left it: offsets may have been set, or the mapping made anew.
//   - Where reading begins is committed when the mapping is made, so what is written
//     after that was answered comes to the function.
//   - Waits between attempts, and for a batch to fill, go by the domain clock, as the age of
//     records does; they are over by real time when that clock was moved back. Leases of
//     messages are renewed by real time.
//   - A clock that is moved halts where a window ends and at each attempt of records that
//     have a bound of them, until the calls are over (Settle, NextMs). Without a bound it
//     would halt as often as the function fails: those are tried once, at its end. What was
//     not taken yet comes by itself.
//
// # Locks
//
// Service.mu guards the definitions and the runners; runner.mu what a runner tells of
// itself; board.mu who waits or calls. None is held while anything is waited for.
//
// Sources: AWS Lambda's developer guide on event source mappings for SQS and for
// self-managed Apache Kafka.
package mapping
