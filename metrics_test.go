package ottla_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/internal/metric"
)

// scrape reads a node's metrics: the values by name and labels as they are
// written, and the kind of each family.
func scrape(t *testing.T, node *ottla.Server) (values map[string]float64, kinds map[string]string) {
	t.Helper()
	return scrapePage(t, node, "/metrics")
}

func scrapePage(t *testing.T, node *ottla.Server, path string) (values map[string]float64, kinds map[string]string) {
	t.Helper()
	res, err := http.Get("http://" + node.HTTPAddr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("scrape: %d %q, %v", res.StatusCode, body, err)
	}
	values, kinds = map[string]float64{}, map[string]string{}
	for line := range strings.Lines(string(body)) {
		f := strings.Fields(line)
		if strings.HasPrefix(line, "# TYPE ") && len(f) == 4 {
			kinds[f[2]] = f[3]
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 2 {
			t.Fatalf("scrape: the line %q has no value", line)
		}
		if values[f[0]], err = strconv.ParseFloat(f[1], 64); err != nil {
			t.Fatalf("scrape: the line %q: %v", line, err)
		}
	}
	return values, kinds
}

func TestEveryDeclaredMetricIsExposed(t *testing.T) {
	_, kinds := scrape(t, start(t, ottla.Options{HTTP: "127.0.0.1:0"}))
	for _, d := range metric.All() {
		if kinds[d.Name] != string(d.Kind) {
			t.Errorf("%s is exposed as %q, want %s", d.Name, kinds[d.Name], d.Kind)
		}
	}
	for name := range kinds {
		if strings.HasPrefix(name, "ottla_") && !declared(name) {
			t.Errorf("%s is exposed and not declared", name)
		}
	}
}

func declared(name string) bool {
	for _, d := range metric.All() {
		if d.Name == name {
			return true
		}
	}
	return false
}

func TestMetricsMoveWithTheWork(t *testing.T) {
	node := start(t, ottla.Options{HTTP: "127.0.0.1:0"})
	before, _ := scrape(t, node)
	create(t, node, "orders", 3, nil)
	produce(t, client(t, node), "orders", 0, 100)
	read(t, node, "orders", 100)
	beyond := client(t, node, kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"orders": {0: kgo.NewOffset().At(1 << 40)}}))
	if err := beyond.PollFetches(within(t)).Err(); !errors.Is(err, kerr.OffsetOutOfRange) {
		t.Fatalf("reading beyond the end: got %v, want OFFSET_OUT_OF_RANGE", err)
	}
	after, _ := scrape(t, node)

	for _, name := range []string{
		`ottla_kafka_requests_total{api="CreateTopics"}`,
		`ottla_kafka_requests_total{api="Produce"}`,
		`ottla_kafka_requests_total{api="Fetch"}`,
		`ottla_kafka_request_duration_seconds_count{api="Produce"}`,
		`ottla_kafka_request_duration_seconds_sum{api="Produce"}`,
		"ottla_kafka_received_bytes_total", "ottla_kafka_sent_bytes_total",
		"ottla_kafka_connections", "ottla_kafka_connections_total",
		`ottla_kafka_errors_total{code="OFFSET_OUT_OF_RANGE"}`,
		"ottla_produce_batches_total", "ottla_produce_bytes_total",
		"ottla_fetch_bytes_total", "ottla_fetch_sessions",
		"ottla_log_syncs_total", "ottla_log_sync_duration_seconds_count", "ottla_log_bytes",
		"ottla_metadata_offset",
	} {
		if old, ok := before[name]; after[name] <= old || !ok {
			t.Errorf("%s: %v before (there: %v), %v after, want it to rise", name, old, ok, after[name])
		}
	}
	for name, want := range map[string]float64{
		"ottla_broker_partitions": 3, "ottla_metadata_topics": 1,
		"ottla_broker_partitions_recovering": 0, "ottla_log_directories_offline": 0,
		"ottla_log_syncs_failed_total": 0, "ottla_kafka_handler_panics_total": 0,
	} {
		if got, ok := after[name]; got != want || !ok {
			t.Errorf("%s: got %v (there: %v), want %v", name, got, ok, want)
		}
	}
}
