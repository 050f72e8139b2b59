package metric

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry holds the instruments of one node. Make it with New; a nil one
// measures nothing.
type Registry struct{ prom *prometheus.Registry }

// New makes a registry that has the metrics of the Go runtime and the process,
// and of the table those that are resolved later.
func New() *Registry {
	r := &Registry{prom: prometheus.NewRegistry()}
	r.prom.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// maxScrapes is how many scrapes are answered at once; each gathers
// everything, so more are told to come again (503).
const maxScrapes = 8

// Handler answers with all that is measured.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.prom, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}

// Counter resolves a handle; the label's value is given for metrics that have
// one. What the table does not declare so is a mistake of ours and panics.
func (r *Registry) Counter(name string, label ...string) *Counter {
	if r == nil {
		return nil
	}
	d := declared(name, KindCounter, len(label))
	vec := register(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, d.labels()))
	return &Counter{vec.WithLabelValues(label...)}
}

// Counters gives handles of a counter with a label whose values input makes, at most
// so many of them.
func (r *Registry) Counters(name string, most int) *Counters {
	if r == nil {
		return nil
	}
	declared(name, KindCounter, 1)
	// other's row is there at once, so that the metric is known before it counts
	return &Counters{r: r, name: name, most: most, of: map[string]*Counter{}, other: r.Counter(name, Other)}
}

// Gauge resolves a handle, see Counter.
func (r *Registry) Gauge(name string, label ...string) *Gauge {
	if r == nil {
		return nil
	}
	d := declared(name, KindGauge, len(label))
	vec := register(r, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, d.labels()))
	return &Gauge{vec.WithLabelValues(label...)}
}

// Histogram resolves a handle, see Counter.
func (r *Registry) Histogram(name string, label ...string) *Histogram {
	if r == nil {
		return nil
	}
	d := declared(name, KindHistogram, len(label))
	vec := register(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: d.Name, Help: d.Help, Buckets: d.Bounds}, d.labels()))
	return &Histogram{vec.WithLabelValues(label...)}
}

// Func lets fn give the value of a gauge without label when it is asked for.
// fn must be quick and safe from any goroutine.
func (r *Registry) Func(name string, fn func() float64) {
	if r == nil {
		return
	}
	d := declared(name, KindGauge, 0)
	r.prom.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, fn))
}

// Funcs is Func for a gauge with a label: fn gives the values by the label's,
// of which there are few.
func (r *Registry) Funcs(name string, fn func() map[string]float64) {
	if r == nil {
		return
	}
	d := declared(name, KindGauge, 1)
	desc := prometheus.NewDesc(d.Name, d.Help, d.labels(), nil)
	r.prom.MustRegister(sheets{func(out chan<- prometheus.Metric) {
		for label, v := range fn() {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, label)
		}
	}})
}

// declared finds a row of the table.
func declared(name string, kind Kind, labels int) Def {
	for _, d := range table {
		if d.Name == name && d.Kind == kind && len(d.labels()) == labels {
			return d
		}
	}
	panic(fmt.Sprintf("metric: %s is not declared as a %s with %d label values", name, kind, labels))
}

func (d Def) labels() []string {
	if d.Label == "" {
		return nil
	}
	return []string{d.Label}
}

// register gives the collector that the registry has under c's name: c itself,
// or the one of an earlier call.
func register[C prometheus.Collector](r *Registry, c C) C {
	err := r.prom.Register(c)
	if err == nil {
		return c
	}
	var earlier prometheus.AlreadyRegisteredError
	if errors.As(err, &earlier) {
		if same, ok := earlier.ExistingCollector.(C); ok {
			return same
		}
	}
	panic("metric: " + err.Error())
}
