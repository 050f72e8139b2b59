//go:build race

package record

// Under the race detector the libraries' pools drop what they are given at
// random, and everything takes ten times as long.
const (
	allocsPerBatch = 10
	bombBytes      = 64 << 20
)
