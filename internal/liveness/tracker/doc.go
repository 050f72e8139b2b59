// Package tracker decides which nodes of a cluster live: what a heartbeat is
// answered, who shall be fenced or unfenced, and how far all that serve have
// followed the metadata. It is pure: no clock, lock or goroutine; the time comes
// in, actions come out. All of it is soft state of the quorum's leader: a new
// leader begins with what the metadata say and gives everybody time to be heard.
//
// It is not for carrying the actions out, nor for connections: package liveness
// does that.
//
// # Main types
//
//   - Tracker: the state; it belongs to whoever locks it.
//   - Node: a registration as the metadata have it. Beat and Answer: a heartbeat.
//   - Action: what the controller shall be told.
//
// # Files, in reading order
//
//	tracker.go  Tracker, what it is told by the metadata
//	beat.go     heartbeats, lost connections, failed probes
//	next.go     which actions are due, and when to look again
//	await.go    who waits until all that serve have applied an offset
//
// # Invariants
//
//   - An action is given once, and again only after Failed or when the metadata
//     show that it did not come to be.
//   - Nobody is fenced for silence who was not given Silence to be heard: since
//     the last sign of life, since the leadership began, since this process ran
//     again after a pause. The leader before has half of it.
//   - A node is unfenced once it has applied the metadata up to its registration
//     and up to its own last fencing, so it knows that others led meanwhile.
//   - A stopping node is told to stop once nobody that serves still takes it for
//     a leader.
//
// # Sources
//
// KIP-631 (registration, heartbeats, fencing, controlled shutdown).
package tracker
