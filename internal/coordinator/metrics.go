package coordinator

import "ottla/internal/metric"

// Metrics are what the shards of a runtime measure together. A nil handle
// measures nothing.
type Metrics struct {
	Commands, CommandsFailed *metric.Counter
	Loads, LoadsFailed       *metric.Counter
	LoadDuration             *metric.Histogram
}
