// Package schema is the codec of the records of `__consumer_offsets`: committed
// offsets and groups of every kind, in Kafka's own bytes, so that Kafka's tools
// read our topic and we read theirs.
//
// It is not for what the records mean (package group and those below it). Of a
// type that it does not know ParseKey tells the type and leaves the rest.
//
// Main types: Key; OffsetValue; GroupValue with Member (classic groups);
// StreamsGroupValue and StreamsTopologyValue (streams groups);
// ConsumerGroupValue, ConsumerMemberValue, TargetValue, TopicPartitions,
// CurrentValue and RegexValue (consumer groups); Subscription and
// MemberAssignment (what consumers say inside of the classic protocol).
//
// Files in reading order: key.go (all types), offset.go, group.go, parts.go
// (lists of partitions), consumer.go, subscription.go, reader.go, writer.go. A
// kind of group with records of its own has a file of its own.
//
// A key begins with an int16 that is the record's type and the version of the
// key at once; a value begins with an int16, its version. Versions read are
// all that Kafka 4.4 reads; those written are those that it writes:
//
//	OFFSET_COMMIT   key 1, value 4 (1 when an expiry time was asked for)
//	GROUP_METADATA  key 2, value 3
//
// The records of consumer groups have version 0 alone, and are flexible: texts
// and lists have varints for lengths, and end with tagged fields. 4.4 writes the
// hash of the topics (KIP-1101), the epochs of assigned partitions (KIP-1251)
// and the time of a target (KIP-1263) as such.
//
// Invariants: no bytes make a parser panic, and none make it allocate more
// than a small multiple of their length. What a parser gives is a copy.
//
// Sources: Kafka's OffsetCommitKey/Value and GroupMetadataKey/Value schemas,
// KIP-211 (no expiry from v2), KIP-320 (leader epoch), KIP-345 (instance id),
// KIP-848 (v4); Kafka's ConsumerGroup…Key/Value, ConsumerProtocolSubscription
// and ConsumerProtocolAssignment schemas.
package schema
