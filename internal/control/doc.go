// Package control gives commands to the cluster's controller, wherever it is:
// the doors and the broker of any node call Client.Do with a typed command of
// package controller, and have its typed reply once this node serves by what it
// did.
//
// It is not for deciding (package controller does), nor for order and
// durability (package quorum), nor for connections (package peer): these come
// in as functions.
//
// Main types: Client, Options.
//
// # Files, in reading order
//
//	table.go    all commands with their replies, and what is promised of them
//	codec.go    commands, replies and errors as bytes
//	client.go   Client.Do: the loop round who leads
//	here.go     where this node leads; Client.Serve, for the others
//	there.go    where another node leads
//	leader.go   who leads, as far as this node knows
//
// # What Do promises
//
// A reply, or a refusal by the controller, rests on metadata up to an offset:
// Do returns when this node's broker has applied them. Commands that make
// partitions wait, where the controller is, until every node that serves has
// applied them too.
//
// A command that was certainly not accepted (its node did not lead, or could
// not be reached) goes to whoever leads next, as long as the context lets it.
// One that may have been accepted, and whose answer was lost, is given again
// only when doing it twice is doing it once (table.go); else the error says
// that it may or may not have been made.
//
// # Invariants
//
//   - No command is given to a controller again that may have carried it out,
//     but for those that the table calls repeatable.
//   - A node that leads and is alone pays one call of a function.
//
// # Ownership
//
// Client has one lock, over who leads; nothing is called under it. It has no
// goroutine.
package control
