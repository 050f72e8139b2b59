// Package vouch asks the coordinator of a transaction, on whatever node it is,
// whether partitions are in it or may be put into it: AddPartitionsToTxn from
// v4 on, which is what nodes ask each other (KIP-890).
//
// It is not for deciding (package txn), nor for who asks (Produce and
// TxnOffsetCommit).
//
// Main type: Coordinators, in the place of a coordinator.Runtime.
//
// Files in reading order: vouch.go, request.go.
//
// Invariants: a coordinator that is led here is asked as if there were no other
// node, without a detour; every question is answered once; one whose
// coordinator has moved is asked once more, if the metadata at hand name
// another node by then, and else hears NOT_COORDINATOR, on which clients try
// again.
//
// Ownership: the methods may be called from any goroutine; nothing waits.
package vouch
