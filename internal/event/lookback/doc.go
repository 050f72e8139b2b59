// Package lookback looks back into buses: where one event went and what it caused
// (Trace), and what rules made of the last events (Review).
//
// It is not for why a pattern fits an event that is not on a bus (event/pattern
// explains), nor for where targets stand as a whole (bus.Standing). It keeps nothing:
// all is read from the buses, the runners' cursors, the calls that were noted and the
// queues for dead letters.
//
// Main types: Service, Trace, Review.
//
// Files in reading order: service.go, scan.go (reading the last events), shapes.go
// (what a trace says), trace.go (finding the event), rules.go (which rules take it,
// and where their targets are), topics.go (what rules published by SNS), beside.go (calls
// and dead letters), caused.go, review.go, fields.go (what a pattern asks for).
//
// # Rules
//
//   - Rules, targets and cursors are those of now; of a rule that was changed after the
//     event a trace says so. What was deleted since left only its calls.
//   - Memory is bounded: 50 places of an event, 20000 links between events, 1000 calls,
//     a page of letters of each queue.
//   - What is read is committed, and ends at the ends of the partitions as they are
//     when the look begins.
//
// A Service has no locks and no state; its methods may be called from any goroutine.
package lookback
