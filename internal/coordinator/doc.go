// Package coordinator gives every state machine that lives on an internal
// topic (groups on __consumer_offsets, later transactions and share groups)
// the same life: load, decide, accept, apply, write, answer when committed,
// forget.
package coordinator
