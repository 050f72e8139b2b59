// Package pipe joins two ends of one process like a loopback TCP connection:
// each direction has a bounded buffer, so that both ends may write before they
// read (net.Pipe, which has none, deadlocks when both do).
//
// It is not for crossing processes.
//
// Main type: Conn. Files: pipe.go, half.go.
//
// Invariants: a buffer grows to what is in it, at most bufferSize, and is given
// up when it is empty, so an idle pipe holds none. Lock order: one half at a
// time, never two.
package pipe
