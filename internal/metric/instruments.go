package metric

import (
	"strings"
	"sync"
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

// Counters are a counter's handles by its label's values, where input makes these:
// the first so many have rows of their own, all others count as Other.
type Counters struct {
	r    *Registry
	name string
	most int
	// other is the handle of all that have no row of their own.
	other *Counter

	mu sync.RWMutex // guards of; held for moments
	of map[string]*Counter
}

// Other is the label of what has no row of its own.
const Other = "other"

// Of is the handle of a label's value.
func (c *Counters) Of(label string) *Counter {
	if c == nil {
		return nil
	}
	c.mu.RLock()
	got, ok := c.of[label]
	full := len(c.of) >= c.most
	c.mu.RUnlock()
	switch {
	case ok:
		return got
	case full:
		return c.other
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if got, ok := c.of[label]; ok {
		return got
	}
	if len(c.of) >= c.most {
		return c.other
	}
	got = c.r.Counter(c.name, strings.ToValidUTF8(label, "?"))
	c.of[label] = got
	return got
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
