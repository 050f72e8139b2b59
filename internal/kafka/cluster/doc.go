// Package cluster serves the APIs that describe the cluster: Metadata,
// DescribeCluster and DescribeLogDirs.
//
// It shows the metadata image as this connection's client should see it (the
// addresses that it can reach) and holds no state. The one thing it changes is
// what Metadata may change in Kafka: it creates topics that a client names,
// where auto.create.topics.enable allows.
//
// Files in reading order: deps.go (what the family needs of its node, and its
// rows), metadata.go with metadata_topics.go and auto_create.go,
// describe_cluster.go, describe_log_dirs.go.
//
// Handlers may run side by side; an image is read once per answer.
//
// Sources: Kafka's message schemas; KIP-430, KIP-516, KIP-700, KIP-827,
// KIP-919, KIP-1066, KIP-1073; answers of a 4.4 broker where those are silent.
package cluster
