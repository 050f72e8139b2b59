// Package produce writes records by a Kafka client that lives longer than topics: one
// that was deleted and made again under its name is another topic, which the client
// does not find out by itself.
//
// It is not for transactions, whose records cannot be tried again one by one.
//
// Main functions: Batches (how large batches are), All. File: produce.go.
//
// It holds no state; it may be called from any goroutine.
package produce
