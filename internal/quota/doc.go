// Package quota bounds the bytes a second that replicas on the move may take
// (KIP-73): how many went, and whether there is room for more.
//
// It is not for who is throttled when (the leader's side is kafka/data/feed, the
// follower's replicate: both leave replicas that are in sync alone), nor for
// waiting: whoever is refused is told when to look again.
//
// Main types: Quota (a rate and what was taken of it), Replicas (who is throttled,
// as a topic's settings name them).
//
// Files in reading order: window.go (the arithmetic), quota.go, replicas.go.
//
// A rate is that of Kafka: what the samples hold, by the time since the oldest of
// them began, of which at least one span counts. So what was not taken is lost
// after so many spans, and a quota that rested lets the bytes of one span pass at
// once. Who has room gets as much as a span gives, and who comes next pays for it.
//
// Invariants: a Quota without a limit costs its users one atomic look and remembers
// nothing. The clock is handed in; there is no goroutine and no timer.
//
// Lock: Quota.mu, a leaf, held for arithmetic alone.
package quota
