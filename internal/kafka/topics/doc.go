// Package topics serves the APIs about topics and about settings: CreateTopics,
// DeleteTopics, CreatePartitions, DeleteRecords, DescribeTopicPartitions,
// ElectLeaders, AlterPartitionReassignments, ListPartitionReassignments,
// DescribeConfigs, AlterConfigs, IncrementalAlterConfigs and
// ListConfigResources.
//
// It decides little: topics, partitions and overrides are the controller's
// (reached through Cluster.Do), values and their chains are config's, records
// are the partition's. What is decided here is what Kafka's broker decides
// before it asks its controller: forms, duplicates, which broker a question is
// for.
//
// Files in reading order: deps.go (what a family needs from the node, and its
// rows), then one file per API, named after it; history.go tells why a partition
// is as it is, beside DescribeTopicPartitions; settings.go turns a setting into the
// rows of DescribeConfigs and CreateTopics.
//
// Handlers keep nothing between requests and may run side by side; an image is
// read once per answer, so that an answer is of one state. CreateTopics and
// its like answer after the change has been applied on this node: Cluster.Do
// promises that.
//
// Sources: Kafka's message schemas; KIP-4, KIP-195, KIP-226, KIP-339, KIP-455, KIP-460,
// KIP-516, KIP-525, KIP-599, KIP-860, KIP-966, KIP-1000, KIP-1142; answers of a 4.4
// broker where those are silent.
package topics
