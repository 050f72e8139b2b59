// Package crowd is the scenarios of the clients that are written in Go
// (this module's and those of gomod, which is a module of its own): members
// that come and go, commit and resume, static members, a restart of the broker
// under a group, administration.
//
// A client implements World and Member; Run reports each scenario. It imports
// nothing but the standard library, so that gomod takes nothing else with it.
//
// Files: crowd.go (World, Member, and how is waited), stories.go, plain.go (what
// needs no group), lines.go (the protocol of lines).
package crowd
