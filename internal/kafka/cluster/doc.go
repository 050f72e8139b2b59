// Package cluster serves the APIs about the cluster itself: Metadata,
// DescribeCluster, DescribeQuorum, UpdateFeatures, UnregisterBroker,
// UnregisterController, AddRaftVoter, RemoveRaftVoter, UpdateRaftVoter,
// AlterReplicaLogDirs and DescribeLogDirs.
//
// It shows the metadata image as this connection's client should see it (the
// addresses that it can reach) and holds no state. Metadata creates topics that
// a client names, where auto.create.topics.enable allows, as in Kafka.
//
// Files in reading order: deps.go (what the family needs of its node, and its
// rows), metadata.go with metadata_topics.go and auto_create.go,
// describe_cluster.go, describe_quorum.go, update_features.go,
// unregister.go, raft_voters.go, alter_replica_log_dirs.go, describe_log_dirs.go.
//
// Handlers may run side by side; an image is read once per answer.
//
// Sources: Kafka's message schemas; KIP-113, KIP-430, KIP-516, KIP-584, KIP-595, KIP-700, KIP-827,
// KIP-853, KIP-919, KIP-1066, KIP-1073; answers of a 4.4 broker where those are silent.
package cluster
