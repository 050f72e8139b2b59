// Package cluster is a simulated cluster: whole nodes made of the product's own
// cores, clients as workload, and what goes wrong, on one heap of events in one
// goroutine and from one seed.
//
// What decides is the product's: quorum.Stepped, controller, liveness/tracker,
// broker.Broker (stepped), log, partition, coordinator.Stepped with package group's
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
// and feed.go (replication), insync.go, shards.go (coordinators), marker.go,
// serve_txn.go; clients: routes.go (what all have), producer.go, reader.go, mover.go
// (exactly once), admin.go, trimmer.go; what goes wrong: chaos.go, votes.go,
// sabotage.go (for tests of the rules); what must hold: rules.go, bytes.go,
// wanted.go, and package test/history for what clients saw.
//
// # Phases
//
// The cluster forms in peace. Then there are faults for a while; every rule holds at
// every step. Then the faults stop, and within two simulated minutes every client
// must end what it began, every replica be in sync and equal to the byte, no
// transaction hang. Last, everything is read once more and judged.
//
// # What a network does
//
// A request of its own may be lost, doubled, delayed and overtaken; one over a pipe
// (a follower's connection, a command to the controller) is lost and delayed only.
// Clients reach all nodes.
//
// # What may be lost
//
// A disk is lost only where the rest has everything: all nodes up and of
// one mind, a majority of voters left, every partition with another replica in sync.
// So every run must recover. Rot is not among the faults: what mends it (package
// broker/mend, RenewReplicas) has no event handlers here yet.
package cluster
