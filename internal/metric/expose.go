package metric

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ServeHTTP answers with all metrics in Prometheus' text format.
func (r *Registry) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(r.Append(nil)) // a reader that went away needs no answer
}

// Append appends all metrics that have instruments, in the order of the table,
// label values sorted.
func (r *Registry) Append(b []byte) []byte {
	for _, d := range table {
		values := r.instruments(d.Name)
		if len(values) == 0 {
			continue
		}
		b = append(b, "# HELP "+d.Name+" "+escape(d.Help)+"\n# TYPE "+d.Name+" "+string(d.Kind)+"\n"...)
		for _, v := range values {
			labels := ""
			if d.Label != "" {
				labels = d.Label + `="` + escape(v.label) + `"`
			}
			b = v.instrument.expose(b, d.Name, labels)
		}
	}
	return b
}

// labelled is an instrument with its label's value.
type labelled struct {
	label      string
	instrument instrument
}

// instruments copies a family out of the lock, so that functions are asked
// without it.
func (r *Registry) instruments(name string) []labelled {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []labelled
	for label, v := range r.families[name].values {
		all = append(all, labelled{label, v})
	}
	slices.SortFunc(all, func(a, b labelled) int { return strings.Compare(a.label, b.label) })
	return all
}

// escape is what the format asks of help texts and label values.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(s)
}

// sample appends one line.
func sample(b []byte, name, labels string, v float64) []byte {
	b = append(b, name...)
	if labels != "" {
		b = append(append(append(b, '{'), labels...), '}')
	}
	b = append(b, ' ')
	return append(strconv.AppendFloat(b, v, 'g', -1, 64), '\n')
}

func (c *Counter) expose(b []byte, name, labels string) []byte {
	return sample(b, name, labels, float64(c.Value()))
}

func (g *Gauge) expose(b []byte, name, labels string) []byte {
	return sample(b, name, labels, float64(g.Value()))
}

func (f funcValue) expose(b []byte, name, labels string) []byte {
	return sample(b, name, labels, f())
}

func (h *Histogram) expose(b []byte, name, labels string) []byte {
	comma := labels
	if comma != "" {
		comma += ","
	}
	total := int64(0)
	for i := range h.counts {
		total += h.counts[i].Load()
		le := "+Inf"
		if i < len(h.bounds) {
			le = strconv.FormatFloat(h.bounds[i], 'g', -1, 64)
		}
		b = sample(b, name+"_bucket", comma+`le="`+le+`"`, float64(total))
	}
	b = sample(b, name+"_sum", labels, math.Float64frombits(h.sum.Load()))
	return sample(b, name+"_count", labels, float64(total))
}
