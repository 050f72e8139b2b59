// Package trio starts a cluster of three nodes in one process, for tests of
// what only a cluster does: node 1 founds it, the others join.
//
// It is for tests in process, where a node can be stopped and started but not
// killed; package rig's cluster has three processes that can. It is not part of
// the product.
//
// Reading order: trio.go.
//
// Invariants: when Start or Restart returns, every running node knows all of
// them as voters, and none is fenced. All nodes are closed when the test ends. A
// Cluster is used by the test's goroutine.
package trio
