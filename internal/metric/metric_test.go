package metric

import (
	"net/http/httptest"
	"regexp"
	"runtime"
	"strconv"
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

// scrape gives what the handler shows.
func scrape(t *testing.T, r *Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("got %d, want 200: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// full resolves every metric of the table once.
func full() *Registry {
	r := New()
	for _, d := range All() {
		var label []string
		if d.Label != "" {
			label = []string{"x"}
		}
		switch d.Kind {
		case KindCounter:
			r.Counter(d.Name, label...).Inc()
		case KindGauge:
			r.Gauge(d.Name, label...).Set(1)
		case KindHistogram:
			r.Histogram(d.Name, label...).Observe(1)
		}
	}
	return r
}

func TestTheTableReachesTheExposition(t *testing.T) {
	got := scrape(t, full())
	for _, d := range All() {
		if want := "# HELP " + d.Name + " " + d.Help + "\n# TYPE " + d.Name + " " + string(d.Kind) + "\n"; !strings.Contains(got, want) {
			t.Errorf("missing %q", want)
		}
		for _, bound := range d.Bounds {
			if want := `le="` + strconv.FormatFloat(bound, 'g', -1, 64) + `"`; !strings.Contains(got, want) {
				t.Errorf("%s: no bucket %s", d.Name, want)
			}
		}
	}
}

func TestALabelThatInputMakesHasABound(t *testing.T) {
	r := New()
	c := r.Counters("ottla_queue_messages_sent_total", 2)
	for _, q := range []string{"a", "b", "c", "a", "d", "\xff"} {
		c.Of(q).Inc()
	}
	got := scrape(t, r)
	for _, want := range []string{`sent_total{queue="a"} 2`, `sent_total{queue="b"} 1`, `sent_total{queue="other"} 3`} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %s", want)
		}
	}
	if strings.Count(got, "ottla_queue_messages_sent_total{") != 3 {
		t.Errorf("more rows than the bound: %s", got)
	}
	var none *Registry
	none.Counters("ottla_queue_messages_sent_total", 2).Of("a").Inc()
	if n := testing.AllocsPerRun(100, func() { c.Of("a").Inc() }); n > 0 {
		t.Errorf("%v allocations to count", n)
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
	r.Histogram("ottla_log_sync_duration_seconds").Observe(99)
	r.Func("ottla_metadata_topics", func() float64 { return 7 })
	got := scrape(t, r)
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
		t.Error("a metric that nothing resolved is shown")
	}
}

func TestAHandleResolvedTwiceCountsTheSame(t *testing.T) {
	r := New()
	r.Counter("ottla_kafka_errors_total", "INVALID_RECORD").Add(2)
	r.Gauge("ottla_fetch_sessions").Set(4)
	if c, g := r.Counter("ottla_kafka_errors_total", "INVALID_RECORD").Value(), r.Gauge("ottla_fetch_sessions").Value(); c != 2 || g != 4 {
		t.Errorf("got %d and %d, want 2 and 4", c, g)
	}
	if v := r.Counter("ottla_kafka_errors_total", "OTHER").Value(); v != 0 {
		t.Errorf("another label's value is %d, want 0", v)
	}
}

func TestNodesOfAProcessDoNotShareAnything(t *testing.T) {
	a, b := full(), New()
	a.Counter("ottla_produce_bytes_total").Add(10)
	if v := b.Counter("ottla_produce_bytes_total").Value(); v != 0 {
		t.Errorf("the other node counted %d, want 0", v)
	}
	if got := scrape(t, b); strings.Contains(got, "ottla_metadata_topics") {
		t.Errorf("the other node shows what only the first resolved:\n%s", got)
	}
}

func TestUndeclaredNamesPanic(t *testing.T) {
	r := New()
	for name, f := range map[string]func(){
		"unknown":           func() { r.Counter("ottla_no_such_total") },
		"wrong kind":        func() { r.Gauge("ottla_produce_bytes_total") },
		"label missing":     func() { r.Counter("ottla_kafka_requests_total") },
		"label extra":       func() { r.Gauge("ottla_kafka_connections", "x") },
		"func of a counter": func() { r.Func("ottla_kafka_requests_total", nil) },
		"func twice": func() {
			r.Func("ottla_log_bytes", func() float64 { return 1 })
			r.Func("ottla_log_bytes", func() float64 { return 2 })
		},
		"func of a handle": func() {
			r.Gauge("ottla_metadata_offset")
			r.Func("ottla_metadata_offset", func() float64 { return 1 })
		},
		"handle of a func": func() {
			r.Func("ottla_broker_partitions", func() float64 { return 1 })
			r.Gauge("ottla_broker_partitions")
		},
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
	c, g, h := r.Counter("ottla_produce_bytes_total"), r.Gauge("ottla_kafka_connections"), r.Histogram("ottla_log_sync_duration_seconds")
	c.Inc()
	c.Add(2)
	g.Set(1)
	g.Add(1)
	h.Seconds(time.Second)
	r.Func("ottla_metadata_topics", func() float64 { return 1 })
	if c != nil || g != nil || h != nil || c.Value()+g.Value() != 0 {
		t.Error("a nil registry measures")
	}
}

func TestTheProcessAndTheRuntimeAreShown(t *testing.T) {
	got := scrape(t, New())
	want := []string{"go_goroutines ", "go_memstats_heap_alloc_bytes ", "go_info{"}
	if runtime.GOOS == "linux" {
		want = append(want, "process_start_time_seconds ", "process_resident_memory_bytes ", "process_cpu_seconds_total ", "process_open_fds ")
	}
	for _, w := range want {
		if !strings.Contains(got, "\n"+w) {
			t.Errorf("missing %q in\n%s", w, got)
		}
	}
}

func TestHotCallsAllocateNothing(t *testing.T) {
	r := New()
	c, g, h := r.Counter("ottla_produce_bytes_total"), r.Gauge("ottla_kafka_connections"), r.Histogram("ottla_kafka_request_duration_seconds", "Produce")
	if n := testing.AllocsPerRun(1000, func() {
		c.Inc()
		c.Add(100)
		g.Add(1)
		g.Set(3)
		h.Observe(.2)
		h.Seconds(time.Millisecond)
	}); n != 0 {
		t.Fatalf("%v allocations, want 0", n)
	}
}

func BenchmarkHotCalls(b *testing.B) {
	r := New()
	c, h := r.Counter("ottla_produce_bytes_total"), r.Histogram("ottla_kafka_request_duration_seconds", "Produce")
	b.ReportAllocs()
	for b.Loop() {
		c.Add(100)
		h.Seconds(time.Millisecond)
	}
}
