// Package place has the partitioner of producers that write records whose partition is
// given beside others that go where their key says.
//
// It is not for which partition a key means (record.KeyHash), nor for what is written.
//
// Main function: Partitioner. File: partitioner.go.
//
// It holds no state of its own; kgo calls it under its own locks.
package place
