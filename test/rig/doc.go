// Package rig starts what a test speaks to: Ottla's binary or the real Apache
// Kafka, one node on 127.0.0.1 with a directory of its own, that can be stopped
// and started again on the same port, or several of them that are one cluster.
//
// It is for no fault but a kill (package realfault has the others) and not part of
// the product. The programs interop, tools and differential beside it use it.
//
// Reading order: rig.go (Options, Node), pair.go (both at once, for comparisons),
// cluster.go (several nodes), ottla.go, kafka.go, identity.go (a connection as a
// node), ended.go (transactions that are over), metadata.go (asked anew).
//
// Invariants: a Node keeps its address for life; Stop returns when the process
// has ended. A Node is used by one goroutine at a time.
package rig
