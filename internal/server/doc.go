// Package server assembles one node: it opens the directories, wires the
// rooms to each other, starts them in order and stops them in reverse. It is
// the only package that knows all the others, and it decides nothing.
//
// The order of a start: data directories are taken (so that a wrong one is
// refused at once), the ports are bound (a busy one is refused too, naming who
// has it), the metadata log is recovered, the ports are opened for other nodes,
// the metadata quorum is joined or led, the broker registered, and then clients
// are let in; partitions recover behind the doors and each answers when it is
// ready. Who comes to a node of a cluster before that is sent to others: at once
// while it is being let in, after a second of waiting later.
//
// Reading order: options.go, server.go (Start, Close), assemble.go (rooms
// below the doors), register.go (a place in the cluster, and leaving it), feed.go
// (when the broker gets the metadata), control.go (commands to the controller),
// others.go (other nodes), join.go (being let in), live.go (heartbeats), dismiss.go
// (being taken out), members.go, widen.go and reasons.go; porter.go (who comes too
// early); coordinators.go (who runs on internal topics), prepare.go (when they are
// made), shares.go (share groups), doors.go (Kafka and HTTP), listen.go and owner_*.go (binding ports), ready.go (what
// /readyz asks), metrics.go (what /metrics and its pages ask), settle.go (after
// the clock was moved, and what tests cut).
package server
