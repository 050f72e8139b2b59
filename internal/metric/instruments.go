package metric

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Counter only grows.
type Counter struct{ prom prometheus.Counter }

// Inc adds one.
func (c *Counter) Inc() {
	if c != nil {
		c.prom.Inc()
	}
}

// Add adds n, which is not negative.
func (c *Counter) Add(n int) {
	if c != nil {
		c.prom.Add(float64(n))
	}
}

// Value is for tests.
func (c *Counter) Value() int64 {
	if c == nil {
		return 0
	}
	return int64(read(c.prom).GetCounter().GetValue())
}

// Gauge goes up and down.
type Gauge struct{ prom prometheus.Gauge }

// Set replaces the value.
func (g *Gauge) Set(n int64) {
	if g != nil {
		g.prom.Set(float64(n))
	}
}

// Add changes the value by n.
func (g *Gauge) Add(n int) {
	if g != nil {
		g.prom.Add(float64(n))
	}
}

// Value is for tests.
func (g *Gauge) Value() int64 {
	if g == nil {
		return 0
	}
	return int64(read(g.prom).GetGauge().GetValue())
}

// Histogram counts observations in buckets.
type Histogram struct{ prom prometheus.Observer }

// Observe counts one value, in the unit of the metric's name.
func (h *Histogram) Observe(v float64) {
	if h != nil {
		h.prom.Observe(v)
	}
}

// Seconds observes a duration.
func (h *Histogram) Seconds(d time.Duration) { h.Observe(d.Seconds()) }

// read takes a metric's value; the library's own metrics do not fail to write
// themselves.
func read(m prometheus.Metric) *dto.Metric {
	out := &dto.Metric{}
	if err := m.Write(out); err != nil {
		panic("metric: " + err.Error())
	}
	return out
}
