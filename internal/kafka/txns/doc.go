// Package txns is the family of handlers for producer ids and transactions:
// InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn,
// WriteTxnMarkers, ListTransactions and DescribeTransactions.
//
// It is not for transactions' state: their coordinator is a room of its own,
// package txn, and package marker writes what it decides into partitions.
//
// Main types: Family, block (producer ids on stock).
//
// Files in reading order: family.go (needs and rows), codes.go, block.go, then
// one file per API, named after it.
//
// Nothing here waits on the connection's reader but InitProducerId, while what
// an earlier producer had open is aborted, and ListTransactions; and whoever
// needs an internal topic that is just being made. All other commands are given
// to their coordinator in the order of a connection's requests, and answered in
// that order.
//
// Invariants: no producer id is given out twice in a cluster: ids come in
// blocks from the controller, and what is left of a block is lost with the
// node. One goroutine at a time asks for a block; others wait for it.
//
// Sources: Kafka's message schemas; KIP-98, KIP-360, KIP-447, KIP-664, KIP-730,
// KIP-890, KIP-994, KIP-1152, KIP-1228, KIP-1319; answers of a 4.4 broker where
// those are silent.
package txns
