// Package replicas tests three whole nodes in what their partitions' replicas do
// for each other: damage that is mended, replication factors that follow from the
// number of nodes, deletions that all replicas have made, moves at a limited rate, a
// disk that is full.
//
// It is tests alone. Files in reading order: rig_test.go (topics and records of one
// cluster), then one a theme.
package replicas
