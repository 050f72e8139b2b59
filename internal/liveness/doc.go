// Package liveness tells which nodes of a cluster live. Keeper is the quorum
// leader's side: it takes heartbeats, has the controller fence who falls silent
// and unfence who serves, and knows when every node that serves has applied a
// metadata offset; where another node leads, it says when that one is gone.
// Speaker is every node's side: it sends the heartbeats, registers again when it
// must, and sees a stopping node off.
//
// It is not for deciding (package tracker does, pure), nor for the wire: a
// Speaker asks through a function, a Keeper answers one.
//
// # Main types
//
//   - Keeper, KeeperOptions: Heartbeat and Vet are what the doors call, Await is
//     for commands that promise that all nodes know.
//   - Speaker, SpeakerOptions.
//
// # Files, in reading order
//
//	keeper.go   Keeper: leadership, images, heartbeats
//	carry.go    its goroutine: actions, the rebalance
//	doubt.go    nodes whose connection was reset: probes, who waits for them
//	await.go    who waits for an offset
//	vet.go      registrations of other nodes
//	enter.go    a node that starts registers
//	speaker.go  Speaker: what it is told and asked
//	speak.go    its goroutine
//	trust.go    how long a node may take it that nobody has taken its place
//	mute.go     and when it counts as cut off
//
// # Cost
//
// A node alone has neither goroutine nor timer: a Keeper begins when another
// node is registered while this one leads, a Speaker when one is registered at
// all.
//
// # Ownership and locks
//
// Keeper.mu guards the tracker and what stands below it in the struct; nothing
// waits while it is held. Speaker.mu likewise. Each has one goroutine, and the
// Keeper one for each probe; Close waits for them.
//
// # Sources
//
// KIP-631 (broker registration and heartbeats), KIP-841 (fencing and the ISR).
package liveness
