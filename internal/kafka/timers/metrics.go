package timers

import (
	"context"

	"ottla/internal/metric"
	"ottla/internal/timer"
)

// Metrics are what a Carrier measures. A nil handle measures nothing.
type Metrics struct {
	// Appended counts timers, Lateness how long after their time they were there.
	Appended *metric.Counter
	Lateness *metric.Histogram
	// GivenUp counts timers whose topic is gone or takes them not; FlightsFailed
	// batches that are tried again.
	GivenUp, FlightsFailed *metric.Counter
}

// Counts are the timers that this node coordinates: all that wait, and those of them
// whose time has come. Coordinators that do not answer before ctx ends are left out.
func (f *Family) Counts(ctx context.Context) (waiting, late int) {
	for _, a := range f.d.Timers.Each(ctx, timer.Count{}) {
		if c, ok := a.Body.(timer.Counted); ok {
			waiting += c.Waiting
			late += c.Late
		}
	}
	return waiting, late
}
