package telemetry

import (
	"math"

	"ottla/internal/metric"
)

// maxNames bounds the names of metrics that are shown, since clients choose
// them; Java's clients have about 150. What comes under further names counts as
// otherName.
const (
	maxNames  = 300
	otherName = "other"
)

// sums are totals by the name of a metric, over all clients since the start.
type sums struct {
	registry *metric.Registry
	byName   map[string]*total
}

type total struct {
	sum    float64
	shown  *metric.Gauge
	points *metric.Counter
}

// newSums makes the totals; other is there from the start, so that a page shows
// that there is such a thing.
func newSums(r *metric.Registry) sums {
	s := sums{registry: r, byName: map[string]*total{}}
	s.of(otherName)
	return s
}

// add takes in what one push had.
func (s *sums) add(points []point) {
	for i := range points {
		p := &points[i]
		t := s.of(p.name)
		t.points.Add(p.count)
		if p.delta {
			t.sum += p.sum
			t.shown.Set(int64(math.Round(min(max(t.sum, -maxShown), maxShown))))
		}
	}
}

// maxShown keeps totals within what an int64 holds exactly.
const maxShown = 1 << 53

func (s *sums) of(name string) *total {
	if t, ok := s.byName[name]; ok {
		return t
	}
	if len(s.byName) > maxNames { // other beside them
		return s.of(otherName)
	}
	name = clean(name)
	t := &total{
		shown:  s.registry.Gauge("ottla_client_metrics_sum", name),
		points: s.registry.Counter("ottla_client_metrics_points_total", name),
	}
	s.byName[name] = t
	return t
}

// clean makes a name that a label can carry: what is no letter, digit or one of
// "._-/" becomes "_".
func clean(name string) string {
	b := []byte(name)
	for i, c := range b {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' && c != '/' {
			b[i] = '_'
		}
	}
	return string(b)
}
