// Package marker writes the ends of transactions into partitions: what the
// transaction coordinator has decided becomes a control batch in every
// partition that the transaction touched (KIP-98).
//
// It is not for deciding (package txn), nor for what a partition makes of a
// marker (partition, producer): it finds the partitions, writes, waits until
// each marker is synced and visible, and asks again those that can not take it
// at the moment.
//
// Main types: Writer, which is a txn.Markers; its Once is one try, for
// WriteTxnMarkers.
//
// Files in reading order: writer.go, once.go, everywhere.go (partitions that
// other nodes lead), request.go (what those are asked).
//
// Other nodes are asked with WriteTxnMarkers, one request to a node for all
// partitions and all transactions that end while another is on its way. A
// leader that has moved is looked up and asked again. What a node was asked may
// be written after the Write has ended; its epochs keep it out of what comes
// later: that of the coordinator when another one has completed the
// transaction, that of the producer when it has begun anew.
//
// Invariants: all partitions of a marker are written to before any is waited
// for, so that one sync round can take them together; every Write and every
// Once calls done exactly once; a partition is given up as deleted by this
// node's own metadata alone; a partition of __consumer_offsets is written to
// by its group coordinator alone, and no other internal topic at all: their
// coordinators would have to load again.
//
// Ownership: a Writer's methods may be called from any goroutine. Close waits
// for every Write to end; their contexts must have ended by then.
//
// Sources: KIP-98, KIP-664, KIP-890, KIP-1228.
package marker
