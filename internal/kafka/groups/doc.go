// Package groups serves the APIs of consumer groups and of committed offsets:
// FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup, OffsetCommit,
// OffsetFetch, DescribeGroups, ListGroups, DeleteGroups, OffsetDelete,
// ConsumerGroupHeartbeat, ConsumerGroupDescribe, StreamsGroupHeartbeat,
// StreamsGroupDescribe and StreamsGroupTopologyDescriptionUpdate.
//
// It decides nothing about groups: that is package group, run by package
// coordinator. What is decided here is what Kafka's broker decides before it
// asks its coordinator: forms, and whether topics and partitions are there.
//
// Main types: Family, Coordinator (what it needs of the runtime).
//
// Files in reading order: family.go (needs and rows), codes.go, then one file
// per API, named after it. Answers that come late are api.Late's.
//
// Nothing here waits on the connection's reader but FindCoordinator, while the
// internal topic is being made, and ListGroups. Commands are given to the
// coordinator in the order of a connection's requests, and its answers leave in
// that order: what a client sends behind a JoinGroup is carried out at once and
// answered after it.
//
// Ownership: bytes of a request are copied before they are handed to the
// coordinator. A reply of the coordinator shares its slices and is only read;
// answers are made and encoded by the connection's writer.
//
// Sources: Kafka's message schemas; KIP-98, KIP-211, KIP-345, KIP-394,
// KIP-447, KIP-496, KIP-518, KIP-559, KIP-699, KIP-709, KIP-800, KIP-814,
// KIP-848, KIP-1043, KIP-1071, KIP-1331; answers of a 4.4 broker where those are
// silent.
package groups
