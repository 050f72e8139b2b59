//go:build race

package log_test

// The simulations run in one goroutine, so the race detector only slows them.
const simShare = 10
