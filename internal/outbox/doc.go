// Package outbox gathers what is to be asked of other nodes: questions of one
// kind to one node travel together, as few requests as there can be without
// letting any of them wait for company.
//
// It is not for connections (package peer), nor for what is asked: whoever has
// a Box says how questions become a request and how its answer is shared out.
//
// Main types: Peers, which is what sends; Box.
//
// Files in reading order: peers.go, box.go.
//
// Invariants: every question that was put gets its answer once, from any
// goroutine, perhaps before Put returns; at most inFlight requests of a Box are
// on their way to a node, and what comes meanwhile is the next one's; nothing
// waits here, and there is no goroutine.
//
// Lock: a lane's mutex guards its queue and is not held over any call.
package outbox
