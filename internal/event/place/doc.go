// Package place is how events lie in Kafka's topics: an event as a record and back, and
// the partitioner of producers that write records whose partition is given beside others
// that go where their key says.
//
// It is not for which partition a key means (record.KeyHash), nor for what an event is
// (event/envelope), nor for writing.
//
// Main functions: Event, Record, Partitioner. Files: event.go, partitioner.go.
//
// It holds no state of its own; kgo calls the partitioner under its own locks.
package place
