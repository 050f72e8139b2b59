package ottla_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 3 * time.Minute

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, o ottla.Options) *ottla.Server {
	t.Helper()
	node, err := ottla.Start(within(t), o)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return node
}

func client(t *testing.T, node *ottla.Server, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(node.Addr()), kgo.AllowAutoTopicCreation()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func create(t *testing.T, node *ottla.Server, topic string, partitions int32, configs map[string]*string) {
	t.Helper()
	a := kadm.NewClient(client(t, node))
	r, err := a.CreateTopic(within(t), partitions, 1, configs, topic)
	if err := errors.Join(err, r.Err); err != nil {
		t.Fatalf("create %s: %v", topic, err)
	}
}

func produce(t *testing.T, c *kgo.Client, topic string, from, to int) {
	t.Helper()
	var records []*kgo.Record
	for i := from; i < to; i++ {
		records = append(records, &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, "value %d", i)})
	}
	if err := c.ProduceSync(within(t), records...).FirstErr(); err != nil {
		t.Fatalf("produce %d..%d: %v", from, to, err)
	}
}

// read consumes n records of a topic from its beginning.
func read(t *testing.T, node *ottla.Server, topic string, n int, opts ...kgo.Opt) []*kgo.Record {
	t.Helper()
	c := client(t, node, append([]kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}, opts...)...)
	ctx := within(t)
	var out []*kgo.Record
	for len(out) < n {
		f := c.PollFetches(ctx)
		if err := f.Err(); err != nil {
			t.Fatalf("read %s: %v (have %d of %d)", topic, err, len(out), n)
		}
		out = append(out, f.Records()...)
	}
	return out
}

func TestRecordsComeBackInOrder(t *testing.T) {
	node := start(t, ottla.Options{})
	create(t, node, "orders", 1, nil)
	produce(t, client(t, node), "orders", 0, 1000)
	for i, r := range read(t, node, "orders", 1000) {
		if r.Offset != int64(i) || string(r.Value) != fmt.Sprintf("value %d", i) || string(r.Key) != fmt.Sprintf("k%d", i) {
			t.Fatalf("record %d: offset %d key %q value %q", i, r.Offset, r.Key, r.Value)
		}
	}
}

func TestEveryCodecRoundTrips(t *testing.T) {
	node := start(t, ottla.Options{})
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		create(t, node, name, 1, nil)
		produce(t, client(t, node, kgo.ProducerBatchCompression(codec)), name, 0, 500)
		if got := read(t, node, name, 500); string(got[499].Value) != "value 499" {
			t.Errorf("%s: the last record is %q", name, got[499].Value)
		}
	}
}

func TestATopicStoresInItsOwnCodec(t *testing.T) {
	node := start(t, ottla.Options{})
	zstd := "zstd"
	create(t, node, "packed", 1, map[string]*string{"compression.type": &zstd})
	produce(t, client(t, node, kgo.ProducerBatchCompression(kgo.NoCompression())), "packed", 0, 100)
	for _, r := range read(t, node, "packed", 100) {
		if c := r.Attrs.CompressionType(); c != 4 {
			t.Fatalf("offset %d is stored with codec %d, want 4 (zstd)", r.Offset, c)
		}
	}
}

func TestDataSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	node, err := ottla.Start(within(t), ottla.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	hour := "3600000"
	create(t, node, "kept", 3, map[string]*string{"retention.ms": &hour})
	produce(t, client(t, node), "kept", 0, 300)
	id := node.ClusterID()
	if err := node.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}

	again := start(t, ottla.Options{Dir: dir})
	if again.ClusterID() != id {
		t.Errorf("cluster id %s became %s", id, again.ClusterID())
	}
	seen := map[string]bool{}
	for _, r := range read(t, again, "kept", 300) {
		seen[string(r.Value)] = true
	}
	if len(seen) != 300 {
		t.Errorf("%d of 300 records after the restart", len(seen))
	}
	configs, err := kadm.NewClient(client(t, again)).DescribeTopicConfigs(within(t), "kept")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range configs[0].Configs {
		if c.Key == "retention.ms" && c.MaybeValue() != hour {
			t.Errorf("retention.ms is %s after the restart, want %s", c.MaybeValue(), hour)
		}
	}
}

func TestManyNodesInOneProcess(t *testing.T) {
	var nodes []*ottla.Server
	for range 5 {
		nodes = append(nodes, start(t, ottla.Options{}))
	}
	for i, n := range nodes {
		create(t, n, "same", 1, nil)
		produce(t, client(t, n), "same", i*10, i*10+10)
	}
	for i, n := range nodes {
		if got := string(read(t, n, "same", 10)[0].Value); got != fmt.Sprintf("value %d", i*10) {
			t.Errorf("node %d holds %q", i, got)
		}
	}
}

func TestInMemoryConnectionsServe(t *testing.T) {
	node := start(t, ottla.Options{})
	c := client(t, node, kgo.Dialer(node.Dial))
	produce(t, c, "piped", 0, 10)
	if got := read(t, node, "piped", 10, kgo.Dialer(node.Dial)); string(got[9].Value) != "value 9" {
		t.Errorf("the last record is %q", got[9].Value)
	}
}

func TestAutoCreationCanBeTurnedOff(t *testing.T) {
	node := start(t, ottla.Options{Settings: map[string]string{"auto.create.topics.enable": "false"}})
	err := client(t, node, kgo.UnknownTopicRetries(1)).ProduceSync(within(t), &kgo.Record{Topic: "nowhere", Value: []byte("x")}).FirstErr()
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("got %v, want UNKNOWN_TOPIC_OR_PARTITION", err)
	}
}

func TestWrongSettingsAreRefused(t *testing.T) {
	if n, err := ottla.Start(within(t), ottla.Options{Settings: map[string]string{"num.partition": "3"}}); err == nil || !strings.Contains(err.Error(), "num.partitions") {
		t.Errorf("got %v, %v, want an error that proposes num.partitions", n, err)
	}
}

func TestASecondNodeOnTheDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	start(t, ottla.Options{Dir: dir})
	if _, err := ottla.Start(within(t), ottla.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v, want a refusal that says the directory is in use", err)
	}
}

func TestHealthAndMetricsAnswer(t *testing.T) {
	node := start(t, ottla.Options{HTTP: "127.0.0.1:0"})
	for path, want := range map[string]string{"/readyz": "ok        metadata", "/livez": "alive", "/metrics": "ottla_kafka_connections"} {
		res, err := http.Get("http://" + node.HTTPAddr() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %q, %v", path, res.StatusCode, body, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	node, err := ottla.Start(within(t), ottla.Options{HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()), kgo.AllowAutoTopicCreation())
	if err != nil {
		t.Fatal(err)
	}
	produce(t, c, "x", 0, 10)
	c.Close()
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	// A goroutine that Close has waited for may have its last return before it
	// still, so one look is not enough; what is left behind stays.
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		left := running(t, "ottla/internal/")
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("left behind:\n%s", strings.Join(left, "\n\n"))
		}
	}
}

// running gives the stacks of the goroutines that run code of some packages.
func running(t *testing.T, packages string) (stacks []string) {
	t.Helper()
	var b strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		t.Fatal(err)
	}
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(stack, packages) {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
