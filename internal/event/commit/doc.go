// Package commit ends transactions of Kafka clients (franz-go) so that what was
// written is committed.
//
// It is not for what is written, nor for who keeps others out by a transactional
// id: whoever begins a transaction knows that.
//
// Main functions: Commit; Known, for who ends it otherwise. File: commit.go.
//
// # Rules
//
//   - A client that writes to a topic for the first time hands the records on before
//     it notes the topic's partitions, which EndTransaction goes through to see
//     whether there is anything to commit. A quick broker answers in between: then
//     the client aborts the transaction and reports success. So Commit waits until
//     the client knows the partitions that were written to.
//
// It holds no state; it may be called from any goroutine, once a transaction.
package commit
