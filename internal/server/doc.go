// Package server assembles one node: it opens the directories, wires the
// rooms to each other, starts them in order and stops them in reverse. It is
// the only package that knows all the others, and it decides nothing.
//
// The order of a start: data directories are taken (so that a wrong one is
// refused at once), the ports are bound (a busy one is refused too, naming who
// has it), the metadata log is recovered and led, the broker registered, and
// then the doors open; partitions recover behind them and each answers when
// it is ready.
//
// Reading order: options.go, server.go (Start, Close), assemble.go (rooms
// below the doors), feed.go (when the broker gets the metadata), coordinators.go (who runs on internal topics), shares.go
// (share groups), doors.go (Kafka and HTTP), listen.go and owner_*.go (binding ports), ready.go (what
// /readyz asks), metrics.go (what /metrics and its pages ask), settle.go (after
// the clock was moved, and what tests cut).
package server
