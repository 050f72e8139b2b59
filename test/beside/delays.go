package beside

import (
	"math"
	"slices"
	"time"
)

// Delays are how long each of many things took.
type Delays []time.Duration

// Ms is the delay in milliseconds that so large a share of all stay within, by
// the nearest rank; 0 when there are none.
func (d Delays) Ms(share float64) float64 {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	rank := max(1, int(math.Ceil(share*float64(len(sorted)))))
	return float64(sorted[rank-1]) / float64(time.Millisecond)
}
