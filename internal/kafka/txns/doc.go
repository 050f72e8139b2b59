// Package txns is the family of handlers for producer ids and transactions.
// Today that is InitProducerId for idempotent producers.
//
// It is not for transactions' state: their coordinator is a room of its own.
//
// Main types: Family, block (producer ids on stock).
//
// Files in reading order: family.go, init_producer_id.go, block.go.
//
// Invariants: no producer id is given out twice in a cluster: ids come in
// blocks from the controller, and what is left of a block is lost with the
// node. One goroutine at a time asks for a block; others wait for it.
//
// Sources: KIP-98, KIP-360, KIP-730.
package txns
