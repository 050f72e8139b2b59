// Package fake is queues in memory, for tests of the doors: simple, one lock
// round all, on a clock that the test moves. It keeps what queues promise (order
// by group, deduplication, leases, receipts, counts, dead letters, moves) and none
// of it survives.
//
// It is not for anything but tests; internal/event/queue is the real thing.
//
// Main type: Queues. Files in reading order: queues.go (definitions), messages.go,
// moves.go, letters.go. Queues.mu guards everything.
package fake
