// Package schema is the codec of the records of `__consumer_offsets` that
// classic groups live by: committed offsets and group metadata, in Kafka's own
// bytes, so that Kafka's tools read our topic and we read theirs.
//
// It is not for what the records mean (package group) and not for the record
// types of the other kinds of group: Parse tells their type and leaves them.
//
// Main types: Key, OffsetValue, GroupValue, Member.
//
// Files in reading order: key.go, offset.go, group.go, reader.go, writer.go.
//
// A key begins with an int16 that is the record's type and the version of the
// key at once; a value begins with an int16, its version. Versions read are
// all that Kafka 4.4 reads; those written are those that it writes:
//
//	OFFSET_COMMIT   key 1, value 4 (1 when an expiry time was asked for)
//	GROUP_METADATA  key 2, value 3
//
// Invariants: no bytes make a parser panic, and none make it allocate more
// than a small multiple of their length. What a parser gives is a copy.
//
// Sources: Kafka's OffsetCommitKey/Value and GroupMetadataKey/Value schemas,
// KIP-211 (no expiry from v2), KIP-320 (leader epoch), KIP-345 (instance id),
// KIP-848 (v4).
package schema
