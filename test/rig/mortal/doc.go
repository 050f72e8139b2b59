// Package mortal is the nodes of a run that kills nodes with SIGKILL: one, or three
// that are one cluster (Linux).
//
// It is not for other faults: realfault and several have those, and this is made of
// them.
//
// Files in reading order: mortal.go, one.go, three_linux.go and three_other.go.
//
// A Cluster is used by one goroutine at a time; its addresses do not change.
package mortal
