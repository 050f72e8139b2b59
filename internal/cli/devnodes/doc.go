// Package devnodes runs the nodes of `ottla dev --nodes N`: each is a process of
// its own, so that killing one is a kill -9, with keys to kill, stop, pause and
// start each and a line per node that says how it is.
//
// It knows nothing of Kafka: what a node is started with comes in, and how the
// cluster stands is told to it for the lines.
//
// Reading order: nodes.go (processes and their states), ports.go, keys.go (what
// a key does), board.go (the lines), terminal_*.go (a terminal that gives keys
// at once), pause_*.go.
//
// Invariants: a node's process holds the other end of a pipe as its standard
// input and stops when that ends, so none outlives this one, however it ends;
// Close returns when all have ended.
//
// Locks: Nodes.mu guards states; nothing is called while it is held.
package devnodes
