package metric

import (
	"math"
	"sync/atomic"
	"time"
)

// Counter only grows.
type Counter struct{ n atomic.Int64 }

// Inc adds one.
func (c *Counter) Inc() { c.Add(1) }

// Add adds n, which is not negative.
func (c *Counter) Add(n int) {
	if c != nil {
		c.n.Add(int64(n))
	}
}

// Value is for tests.
func (c *Counter) Value() int64 {
	if c == nil {
		return 0
	}
	return c.n.Load()
}

// Gauge goes up and down.
type Gauge struct{ n atomic.Int64 }

// Set replaces the value.
func (g *Gauge) Set(n int64) {
	if g != nil {
		g.n.Store(n)
	}
}

// Add changes the value by n.
func (g *Gauge) Add(n int) {
	if g != nil {
		g.n.Add(int64(n))
	}
}

// Value is for tests.
func (g *Gauge) Value() int64 {
	if g == nil {
		return 0
	}
	return g.n.Load()
}

// Histogram counts observations in buckets. Sum and count may be a moment
// apart in one exposition.
type Histogram struct {
	bounds []float64
	counts []atomic.Int64 // one more than bounds: above the last
	sum    atomic.Uint64  // bits of a float64
}

func newHistogram(d Def) *Histogram {
	return &Histogram{bounds: d.Bounds, counts: make([]atomic.Int64, len(d.Bounds)+1)}
}

// Observe counts one value, in the unit of the metric's name.
func (h *Histogram) Observe(v float64) {
	if h == nil {
		return
	}
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] { // few bounds, and most values are small
		i++
	}
	h.counts[i].Add(1)
	for {
		old := h.sum.Load()
		if h.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

// Seconds observes a duration.
func (h *Histogram) Seconds(d time.Duration) {
	if h != nil {
		h.Observe(d.Seconds())
	}
}

// Count is how many were observed.
func (h *Histogram) Count() int64 {
	if h == nil {
		return 0
	}
	n := int64(0)
	for i := range h.counts {
		n += h.counts[i].Load()
	}
	return n
}

// funcValue is asked for its value.
type funcValue func() float64
