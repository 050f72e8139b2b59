// Package several runs a cluster of Ottla as processes that can be hurt: each
// node with a data directory, a log and an address of its own, killed, stopped,
// paused and started by its process, on a disk of its own whose power can be cut,
// that can be filled, made slow or fail, in a network namespace of its own whose
// packets can be lost and whose connections can be reset.
//
// It is for programs under test, and not part of the product. Nodes in one
// process, for go test, are package trio's. What the disks and processes can do
// is package realfault's.
//
// A packet is lost where it arrives: a rule of the receiving namespace drops what
// comes from one of the others, silently, as a broken switch does, so that a
// partition can be of any shape and one-way; some of them are lost by a filter of a
// few instructions that draws a number for each (lossy_linux.go). Nothing but
// iproute2 is needed for it, and root. Without them the nodes are on loopback
// addresses of their own, and Cut is not possible.
//
// Reading order: cluster.go, disk.go (power, and a disk that is lost),
// network_linux.go, lossy_linux.go.
//
// Invariants: a node keeps its address and directory for life; Close leaves no
// process, mount, namespace or link behind. A Cluster is used by one goroutine.
package several
