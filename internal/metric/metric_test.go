package metric

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestEveryMetricIsNamedByTheRule(t *testing.T) {
	rule := regexp.MustCompile(`^ottla_[a-z]+(_[a-z]+)+$`)
	seen := map[string]bool{}
	for _, d := range All() {
		if !rule.MatchString(d.Name) || seen[d.Name] {
			t.Errorf("%s: not ottla_<part>_<thing>_<unit>, or twice", d.Name)
		}
		seen[d.Name] = true
		if (d.Kind == KindCounter) != strings.HasSuffix(d.Name, "_total") {
			t.Errorf("%s: counters, and only they, end in _total", d.Name)
		}
		if !strings.HasSuffix(d.Help, ".") || (d.Kind == KindHistogram) != (len(d.Bounds) > 0) {
			t.Errorf("%s: help is no sentence, or bounds do not fit", d.Name)
		}
		for i := 1; i < len(d.Bounds); i++ {
			if d.Bounds[i] <= d.Bounds[i-1] {
				t.Errorf("%s: bounds do not rise", d.Name)
			}
		}
	}
}

func TestExposition(t *testing.T) {
	r := New()
	r.Counter("ottla_kafka_requests_total", "Produce").Add(3)
	r.Counter("ottla_kafka_requests_total", `a"b`).Inc()
	r.Gauge("ottla_kafka_connections").Add(5)
	r.Gauge("ottla_kafka_connections").Add(-2)
	h := r.Histogram("ottla_log_sync_duration_seconds")
	h.Seconds(200 * time.Microsecond)
	h.Observe(99)
	r.Func("ottla_metadata_topics", func() float64 { return 7 })
	w := httptest.NewRecorder()
	r.ServeHTTP(w, nil)
	got := w.Body.String()
	for _, want := range []string{
		"# TYPE ottla_kafka_requests_total counter\n",
		"ottla_kafka_requests_total{api=\"Produce\"} 3\nottla_kafka_requests_total{api=\"a\\\"b\"} 1\n",
		"ottla_kafka_connections 3\n",
		`ottla_log_sync_duration_seconds_bucket{le="0.0001"} 0` + "\n" + `ottla_log_sync_duration_seconds_bucket{le="0.00025"} 1`,
		`ottla_log_sync_duration_seconds_bucket{le="30"} 1` + "\n" + `ottla_log_sync_duration_seconds_bucket{le="+Inf"} 2`,
		"ottla_log_sync_duration_seconds_sum 99.0002\nottla_log_sync_duration_seconds_count 2\n",
		"ottla_metadata_topics 7\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "ottla_broker_partitions") {
		t.Error("a metric without instruments is shown")
	}
	if h.Count() != 2 || r.Histogram("ottla_log_sync_duration_seconds") != h {
		t.Error("a handle resolved twice is not the same")
	}
}

func TestUndeclaredNamesPanic(t *testing.T) {
	r := New()
	for name, f := range map[string]func(){
		"unknown":       func() { r.Counter("ottla_no_such_total") },
		"wrong kind":    func() { r.Gauge("ottla_produce_bytes_total") },
		"label missing": func() { r.Counter("ottla_kafka_requests_total") },
		"label extra":   func() { r.Gauge("ottla_kafka_connections", "x") },
		"func of label": func() { r.Func("ottla_kafka_requests_total", nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestNothingIsMeasuredWithoutARegistry(t *testing.T) {
	var r *Registry
	r.Counter("ottla_produce_bytes_total").Inc()
	r.Gauge("ottla_kafka_connections").Set(1)
	r.Histogram("ottla_log_sync_duration_seconds").Seconds(time.Second)
	r.Func("ottla_metadata_topics", func() float64 { return 1 })
	if b := r.Append(nil); len(b) != 0 {
		t.Errorf("a nil registry shows %q", b)
	}
	if r.Counter("x").Value()+r.Gauge("x").Value()+r.Histogram("x").Count() != 0 {
		t.Error("nil instruments have values")
	}
}

func TestProcessMetricsHaveValues(t *testing.T) {
	r := New()
	Process(r, time.Unix(1000, 0))
	got := string(r.Append(nil))
	for _, want := range []string{"ottla_process_start_time_seconds 1000\n", "ottla_go_goroutines ", "ottla_process_resident_bytes "} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
}

func TestHotCallsAllocateNothing(t *testing.T) {
	r := New()
	c, g, h := r.Counter("ottla_produce_bytes_total"), r.Gauge("ottla_kafka_connections"), r.Histogram("ottla_log_sync_duration_seconds")
	if n := testing.AllocsPerRun(1000, func() {
		c.Add(100)
		g.Add(1)
		h.Seconds(time.Millisecond)
	}); n != 0 {
		t.Fatalf("%v allocations, want 0", n)
	}
}
