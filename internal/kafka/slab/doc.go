// Package slab lends byte buffers of a few sizes, so that a connection holds
// memory only while it has bytes to hold, and the steady state allocates
// nothing.
//
// It is not for buffers that outlive a request.
//
// Main type: Slab. Files: slab.go.
//
// Invariants: a slab belongs to who got it until Put; Put twice is a bug of
// ours. Any goroutine may Get and Put.
package slab
