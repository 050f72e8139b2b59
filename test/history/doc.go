// Package history is the record of what clients did to a cluster and were told
// by it, and the checker that finds the broken promises in it.
//
// A history is a file of one operation a line (op.go, file.go). Check reads it
// against the rules; each rule has a file of its own, named after it, with what
// it forbids at its head. It is not for making histories: package client below
// it has clients that write them, and the programs in test make the faults.
//
// The model is that of Jepsen's Kafka workload: values are unique, so an offset
// names a value and a value an offset; a client that does not know whether its
// operation took place says info, and the rules give it the benefit of doubt.
// Offsets are the order of versions, so no search is needed: every rule is
// O(n log n). Where clients consume, transform and produce, values say what they
// are the effect of (effects.go), and each input must have its effects once.
//
// What a history must hold to be judged: nothing was removed from the topics by
// retention, compaction or DeleteRecords; the sends of one process are ordered
// by their Start; the polls of one process do not overlap; an operation of
// outcome fail surely had no effect. Rules about what everybody must have read
// (unseen, torn-txn) look at the whole only when there are final polls.
//
// Reading order: op.go, file.go, check.go, view.go, then the rules.
//
// Sources: the Kafka workload of jepsen-io/jepsen (its list of anomalies), Adya's
// G1a and G1c, KIP-98 for what read_committed promises.
package history
