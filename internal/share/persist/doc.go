// Package persist reaches the states of share-partitions on whatever node their
// share coordinator is: the commands of package share/store become the requests
// that Kafka's brokers ask each other, InitializeShareGroupState,
// ReadShareGroupState, WriteShareGroupState, DeleteShareGroupState and
// ReadShareGroupStateSummary (83 to 87, KIP-932).
//
// It is not for what the coordinator does with them (share/store), nor for
// answering them (kafka/shares).
//
// Main type: States, in the place of a coordinator.Runtime.
//
// Files in reading order: states.go (who is asked), request.go and answer.go
// (commands as requests), tags.go.
//
// What Kafka's requests have no place for travels in tagged fields, over which
// Kafka passes: see tags.go.
//
// Invariants: a coordinator that is led here is asked without a detour; every
// command is answered once, with the codes that it would have here; a
// coordinator that has moved answers NOT_COORDINATOR, on which whoever asked
// comes again; epochs of leaders and of states keep what is late out, wherever
// it comes from.
//
// Ownership: the methods may be called from any goroutine; only Do waits.
package persist
