// Package schema is the codec of the records of `__transaction_state` in
// Kafka's own bytes, so that Kafka's tools read our topic and we read theirs.
//
// It is not for what the records mean: that is package txn.
//
// Main types: Value, Topic.
//
// Files in reading order: key.go, value.go, reader.go, writer.go.
//
// A key begins with an int16 that is the record's type and the version of the
// key at once: TRANSACTION_LOG, 0, is the only one. A value begins with an
// int16, its version: 0, or 1 with tagged fields, which is written once
// transaction.version is 1 or more.
//
// Invariants: no bytes make a parser panic, and none make it allocate more
// than a small multiple of their length. What a parser gives is a copy.
//
// Sources: Kafka's TransactionLogKey and TransactionLogValue schemas, KIP-98,
// KIP-890 (previous and next producer id, the client's transaction version),
// KIP-915 (tagged fields), KIP-939 (next producer epoch).
package schema
