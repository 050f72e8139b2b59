// Package realfault is what the programs that hurt a real Ottla have in common:
// a node as a process (node.go), a load whose every record is accounted for
// (load.go, ledger.go), what all of them do with both (underload.go), reading it
// all back (check.go), a probe of single writes (probe.go), and disks that can be
// filled or cut off (image_linux.go) while the writer stands still
// (still_linux.go), or made slow (slow_linux.go); and how one looks at it from
// outside: what a process uses (proc_linux.go), who leads the metadata
// (quorum.go).
//
// It is for the programs kills, powercut, diskfull and faults beside it. It is not part
// of the product and not of go test, but for the ledger's own tests: a ledger
// that cannot see a loss proves nothing.
//
// Reading order: node.go, ports.go, ledger.go, load.go, underload.go, check.go, probe.go,
// image_linux.go, still_linux.go, slow_linux.go, proc_linux.go, quorum.go.
//
// Invariants: a record counts as acknowledged only when the client said so; the
// same value is never produced twice by the load, so that one seen twice is a
// duplicate.
package realfault
