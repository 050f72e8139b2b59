// Package ottla runs an Ottla node inside a Go program: a durable, partitioned
// log that any Kafka client can use, in a test or an application of its own.
//
//	node, err := ottla.Start(ctx, ottla.Options{})
//	if err != nil { … }
//	defer node.Close()
//	client, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()))
//
// There are no globals and no signal handlers: any number of nodes run in one
// process, each on ports of its own, and Close leaves no goroutine behind.
// What the command `ottla` runs is this, with a data directory.
//
// Queues, schedules and delays are doors of its HTTP port (Options.HTTP).
//
// Tests of applications can move the node's clock (Clock), so that a day of
// schedules, delays and retries passes in a moment, and break its disk and its
// connections (Faults).
//
// It is not for the cluster's inside: what a program may do with a running node
// it does through Kafka's protocol or over HTTP.
//
// Main types: Options, Server, Clock, Faults.
//
// Files in reading order: ottla.go, clock.go, faults.go.
//
// Invariants: a Clock moves what is dated, never who counts as alive; a fault
// that was not asked for costs nothing.
//
// Locks: Clock.moving is held while nodes settle; Clock.mu and Faults.mu are
// taken by start and Close of a node, and Faults.mu before any lock of a node.
package ottla
