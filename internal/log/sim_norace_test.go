//go:build !race

package log_test

// simShare divides the number of seeds that a simulation runs.
const simShare = 1
