//go:build !race

package record

const (
	allocsPerBatch = 1 // fewer than one on average: none but after a collection
	bombBytes      = 1 << 30
)
