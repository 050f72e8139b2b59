//go:build race

package cluster

// raced: the race detector looks on.
const raced = true
