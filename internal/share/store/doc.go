// Package store keeps the state of share-partitions durable: the machine of
// `__share_group_state`, run by package coordinator, with Kafka's own records,
// so that Kafka's tools read our topic.
//
// It is not for what the states mean and how they change (package share), and
// not for requests (kafka/shares).
//
// Main types: Machine; the commands Initialize, Read, Put, Delete, Summarize
// with their replies; Key (a share-partition); Snapshot and Update (values of
// records).
//
// Files in reading order: key.go, commands.go, machine.go (the table of
// commands; Apply), decide.go, rows.go (how an update changes a state),
// prune.go, list.go, then the codec: value.go, reader.go.
//
// # The log
//
//	SHARE_SNAPSHOT  key 0, value 0: the whole state of a share-partition; a
//	                null value deletes it
//	SHARE_UPDATE    key 1, value 0: what changed since its last snapshot
//
// After SnapshotEvery updates the next one is a snapshot. What lies below the
// oldest of all last snapshots is deleted from the log, and a share-partition
// that would hold too much of it is written anew (prune.go): so the log stays
// short although it is not compacted.
//
// A state batch of ours may carry tagged fields of eight bytes: 100, the wall
// time in milliseconds before which an Available record is not given out; 101,
// until when it is leased; 102, the hash of the key that it keeps locked.
// Kafka's tools pass over them.
//
// # Fencing
//
// A read brings the leader epoch of the reader; one that is lower than the one
// at hand is refused, and so is a write (FENCED_LEADER_EPOCH). The state epoch
// rises when a state is initialised anew (offsets reset); a write with a lower
// one is refused (FENCED_STATE_EPOCH).
//
// Invariants: a Step changes nothing; rows are in order, do not overlap, and
// lie at or above the start; nothing hangs on the order of a map; no bytes make
// a parser panic or allocate more than a small multiple of their length.
//
// Sources: KIP-932, KIP-1226, Kafka's ShareSnapshot and ShareUpdate schemas.
package store
