// Package cluster is a simulated cluster: whole nodes made of the product's own
// cores, clients as workload, and what goes wrong, on one heap of events in one
// goroutine and from one seed.
//
// What decides is the product's: quorum.Stepped, controller, liveness/tracker,
// broker.Broker (stepped), broker/mend, log, partition, coordinator.Stepped with package group's
// and package txn's machines, insync.Propose. What is written anew here, as event
// handlers, are the shells round them, close to their order of things; each says
// which package it stands for. It is not for the wire and its codecs, nor for what
// real disks and sockets do.
//
// Main types: Options (what a seed drew), Result; Simulate runs one.
//
// Files in reading order: options.go, run.go (from the beginning to the verdict),
// world.go, net.go; a node: node.go (machine), process.go (a life of it), settings.go,
// control.go (commands to the controller), speak.go and live.go (liveness), follow.go
// and feed.go (replication), insync.go, mender.go, compact.go, shards.go
// (coordinators), marker.go, serve_txn.go; clients: routes.go (what all have),
// producer.go, reader.go, mover.go (exactly once), member.go and modern.go (groups),
// admin.go, trimmer.go; what goes wrong: chaos.go, rot.go, ruin.go, votes.go, guest.go (a
// node that joins and leaves), sabotage.go (for tests of the rules); what must hold:
// rules.go, bytes.go, wanted.go, and package test/history for what clients saw.
//
// # Phases
//
// The cluster forms in peace. Then there are faults for a while; every rule holds at
// every step. Then the faults stop, and within two simulated minutes every client
// must end what it began, every replica be in sync and equal to the byte, no
// transaction hang; a node that joined in the middle leaves again. Last, everything is
// read once more and judged.
//
// # What a network does
//
// A request of its own may be lost, doubled, delayed and overtaken; one over a pipe
// (a follower's connection, a command to the controller) is lost and delayed only.
// Clients are cut off from nodes in some seeds.
//
// # What may be lost
//
// A disk is lost only where the rest has everything: all nodes up and of
// one mind, a majority of voters left, every partition with another replica in sync.
// So every run must recover, and nobody else dies until all have noticed.
//
// The disk of one node rots: a bit of a record file is flipped where another replica is
// counted on, while the node runs (where it trusts no bytes) or is down. It is found by
// who reads, by recovery or by the scrub at the end, and mended by package broker/mend,
// whose rounds run as a coroutine. Bits of the metadata log are not flipped here. What
// a replica in doubt may lose that no living disk has does not come about: nobody is
// away for half a minute.
//
// In some seeds all copies of one batch are damaged at the end: it must be said to all
// who read it, and everything else be served as before.
package cluster
