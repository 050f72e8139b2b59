// Package clock is the domain clock: the time of day as nodes see it where they
// mean data, which can be moved where data may be played with.
//
// It is not for what tells the living from the dead (sessions, elections,
// connections): that goes by real time, always.
//
// Main types: Clock; Node, which settles when it was moved. All is in clock.go.
//
// Ownership: a Clock may be used from any goroutine, and serve many nodes. moving is
// held over a whole move, mu for moments; order: moving, then mu.
package clock
