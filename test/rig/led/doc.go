// Package led is partitions that node 1 leads, for tests that want no more of a node.
//
// The whole: Partition. It is in memory, empty, and nothing syncs it.
package led
