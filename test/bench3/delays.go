package main

import (
	"math"
	"slices"
	"time"
)

// delays are how long each of many things took.
type delays []time.Duration

// ms is the delay in milliseconds that so large a share of all stay within, by
// the nearest rank; 0 when there are none.
func (d delays) ms(share float64) float64 {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	rank := max(1, int(math.Ceil(share*float64(len(sorted)))))
	return float64(sorted[rank-1]) / float64(time.Millisecond)
}
