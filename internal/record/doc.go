// Package record is Kafka's record batch, version 2: parse it in place, judge
// what a producer sent, patch what the leader assigns, build batches of our
// own, open and remake compressed ones.
//
// It is not for magic 0 and 1, which no supported API version carries, nor for
// what a batch means to a partition: offsets, epochs, sequences.
//
// Main types: Header, Rules, Error, Record, Builder.
//
// Files in reading order:
//   - header.go: the 61 bytes before the records
//   - patch.go: what the leader changes in place, the CRC
//   - varint.go, parse.go: the bytes of a record
//   - validate.go, check.go: what a leader demands of a produced batch
//   - walk.go: reading the records of a batch
//   - builder.go, control.go: batches of our own, control records
//   - recompress.go: another codec for the same records
//   - errors.go: what can be wrong
//
// Invariants: no bytes make it panic; every length is checked against the
// bytes at hand before it is used; validating a plain batch allocates nothing.
//
// Ownership: every []byte is borrowed until return unless a function says that
// what it returns is the caller's. Nothing here is safe to share while a Set
// function changes it; everything else may run in parallel.
//
// Sources: KIP-98 (the format), KIP-82 (headers), KIP-467 (record errors),
// KIP-110 (zstd), KIP-534 (delete horizon).
package record
