package metric

import (
	"fmt"
	"sync"
)

// Registry holds the instruments of one node. Make it with New; a nil one
// measures nothing.
type Registry struct {
	mu       sync.Mutex // guards the maps; not taken by instruments
	families map[string]*family
}

// family is a metric with its instruments by label value.
type family struct {
	def    Def
	values map[string]instrument
}

// instrument writes its samples.
type instrument interface {
	expose(b []byte, name, labels string) []byte
}

// New makes a registry with every declared metric.
func New() *Registry {
	r := &Registry{families: make(map[string]*family, len(table))}
	for _, d := range table {
		r.families[d.Name] = &family{def: d, values: map[string]instrument{}}
	}
	return r
}

// Counter resolves a handle; the label's value is given for metrics that have
// one. An undeclared name is a mistake of ours and panics.
func (r *Registry) Counter(name string, label ...string) *Counter {
	return resolve(r, KindCounter, name, label, func(Def) *Counter { return &Counter{} })
}

// Gauge resolves a handle, see Counter.
func (r *Registry) Gauge(name string, label ...string) *Gauge {
	return resolve(r, KindGauge, name, label, func(Def) *Gauge { return &Gauge{} })
}

// Histogram resolves a handle, see Counter.
func (r *Registry) Histogram(name string, label ...string) *Histogram {
	return resolve(r, KindHistogram, name, label, newHistogram)
}

// Func lets fn give the value of a gauge or counter when it is asked for. fn
// must be quick and safe from any goroutine.
func (r *Registry) Func(name string, fn func() float64) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.families[name]
	if f == nil || f.def.Kind == KindHistogram || f.def.Label != "" {
		panic("metric: " + name + " is not declared as a plain gauge or counter")
	}
	f.values[""] = funcValue(fn)
}

// resolve finds or makes the instrument of one label value.
func resolve[T any, P interface {
	*T
	instrument
}](r *Registry, kind Kind, name string, label []string, create func(Def) P) P {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.families[name]
	if f == nil || f.def.Kind != kind || len(label) > 1 || (f.def.Label == "") != (len(label) == 0) {
		panic(fmt.Sprintf("metric: %s with %d label values is not declared as a %s", name, len(label), kind))
	}
	key := ""
	if len(label) == 1 {
		key = label[0]
	}
	if v, ok := f.values[key].(P); ok {
		return v
	}
	v := create(f.def)
	f.values[key] = v
	return v
}
