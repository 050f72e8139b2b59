package kafkatools

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/kafkatools/settings"
	"ottla/internal/cli/kafkatools/words"
	"ottla/internal/event/commit"
)

func producerPerfTool() *tool {
	return &tool{
		name: "kafka-producer-perf-test", about: "Measure how fast records are written.",
		options: []option{
			{name: "bootstrap-server", arg: "HOST:PORT,...", help: "the servers to connect to (or bootstrap.servers among the properties)"},
			{name: "topic", arg: "NAME", help: "REQUIRED: the topic to write to"},
			{name: "num-records", arg: "N", help: "REQUIRED: how many records to write"},
			{name: "throughput", arg: "N", help: "REQUIRED: records a second to stay at, -1 for no limit"},
			{name: "record-size", arg: "BYTES", help: "size of each value; this, --payload-file or --payload-monotonic is given"},
			{name: "payload-file", arg: "FILE", help: "take values from the parts of this file, at random"},
			{name: "payload-delimiter", arg: "TEXT", help: "what parts the values of --payload-file (default \\n)"},
			{name: "payload-monotonic", help: "values are the numbers 0, 1, 2, ..."},
			{name: "producer-props", arg: "K=V ...", words: true, many: true, instead: "command-property"},
			{name: "command-property", arg: "K=V ...", words: true, many: true, help: "settings of the producer"},
			{name: "producer.config", arg: "FILE", instead: "command-config"},
			{name: "command-config", arg: "FILE", help: "settings of the producer in a properties file"},
			{name: "print-metrics", help: "accepted; the metrics of Kafka's Java client do not exist here"},
			{name: "transactional-id", arg: "ID", help: "write in transactions under this id"},
			{name: "transaction-duration-ms", arg: "MS", help: "length of each transaction (3000 when only an id is given)"},
			{name: "warmup-records", arg: "N", help: "leave the first N records out of the steady-state line"},
			{name: "reporting-interval", arg: "MS", help: "how often progress is printed (default 5000)"},
		},
		check: checkProducerPerf, run: producerPerf,
	}
}

func checkProducerPerf(c *call) error {
	for _, o := range []string{"topic", "num-records", "throughput"} {
		if !c.has(o) {
			return usagef("kafka-producer-perf-test: error: argument --%s is required", o)
		}
	}
	payloads := 0
	for _, o := range []string{"record-size", "payload-file", "payload-monotonic"} {
		if c.has(o) {
			payloads++
		}
	}
	switch {
	case payloads == 0:
		return usagef("kafka-producer-perf-test: error: one of the arguments --record-size --payload-file --payload-monotonic is required")
	case payloads > 1:
		return usagef("kafka-producer-perf-test: error: only one of --record-size, --payload-file and --payload-monotonic is allowed")
	}
	return nil
}

// producerPlan is the parsed command line of a measurement.
type producerPlan struct {
	topic                    string
	records, warmup          int64
	throughput               float64
	payload                  func(i int64) []byte
	transactions             time.Duration // 0: none
	interval                 time.Duration
	settings                 settings.Properties
	servers, transactionalID string
}

func (c *call) producerPlan() (*producerPlan, error) {
	p := &producerPlan{topic: c.value("topic", "")}
	numbers := []struct {
		name      string
		into      *int64
		otherwise int64
		least     int64
	}{
		{"num-records", &p.records, 0, 1}, {"warmup-records", &p.warmup, 0, 0},
		{"reporting-interval", (*int64)(&p.interval), 5000, 1}, {"transaction-duration-ms", (*int64)(&p.transactions), 0, 0},
	}
	for _, n := range numbers {
		v, err := c.integer(n.name, n.otherwise)
		if err != nil {
			return nil, err
		}
		if v < n.least {
			return nil, usagef("kafka-producer-perf-test: error: --%s should be at least %d", n.name, n.least)
		}
		*n.into = v
	}
	p.interval *= time.Millisecond
	p.transactions *= time.Millisecond
	var err error
	if p.throughput, err = strconv.ParseFloat(c.value("throughput", ""), 64); err != nil {
		return nil, usagef("kafka-producer-perf-test: error: argument --throughput: could not convert '%s' to Double", c.value("throughput", ""))
	}
	if p.warmup >= p.records {
		return nil, usagef("kafka-producer-perf-test: error: The value for --warmup-records must be strictly fewer than the number of records in the test, --num-records.")
	}
	if p.payload, err = c.payloads(); err != nil {
		return nil, err
	}
	if p.settings, err = c.clientProperties([]string{"producer.config", "command-config"}, []string{"producer-props", "command-property"}); err != nil {
		return nil, err
	}
	p.servers = c.value("bootstrap-server", p.settings["bootstrap.servers"])
	if p.servers == "" {
		return nil, usagef("kafka-producer-perf-test: error: --bootstrap-server, or bootstrap.servers among the properties, is required")
	}
	p.transactional(c)
	return p, nil
}

// transactional decides whether the measurement runs in transactions: an id or
// a duration asks for it, and each alone implies the other.
func (p *producerPlan) transactional(c *call) {
	id := c.value("transactional-id", p.settings["transactional.id"])
	switch {
	case id == "" && p.transactions > 0:
		id = fmt.Sprintf("performance-producer-%016x", rand.Uint64())
	case id != "" && p.transactions == 0:
		p.transactions = 3 * time.Second
	}
	if id != "" {
		p.settings["transactional.id"] = id
	}
	p.transactionalID = id
}

// payloads makes the function that gives the i-th value.
func (c *call) payloads() (func(int64) []byte, error) {
	random := rand.New(rand.NewPCG(0, 0)) // the same values in each run, as in Kafka
	switch {
	case c.has("payload-monotonic"):
		return func(i int64) []byte { return strconv.AppendInt(nil, i, 10) }, nil
	case c.has("record-size"):
		n, err := c.integer("record-size", 0)
		if err != nil {
			return nil, err
		}
		if n <= 0 {
			return nil, usagef("kafka-producer-perf-test: error: --record-size should be greater than zero.")
		}
		return func(int64) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = 'A' + byte(random.IntN(26))
			}
			return b
		}, nil
	}
	path, err := filepath.Abs(c.value("payload-file", ""))
	if err != nil {
		return nil, fmt.Errorf("find the payload file: %w", err)
	}
	c.printf("Reading payloads from: %s\n", path)
	content, err := os.ReadFile(path)
	if err != nil || len(content) == 0 {
		return nil, words.New("File does not exist or empty file provided.")
	}
	delimiter := strings.ReplaceAll(c.value("payload-delimiter", `\n`), `\n`, "\n")
	parts := strings.Split(strings.TrimSuffix(string(content), delimiter), delimiter)
	c.printf("Number of messages read: %d\n", len(parts))
	return func(int64) []byte { return []byte(parts[random.IntN(len(parts))]) }, nil
}

func producerPerf(ctx context.Context, c *call) error {
	p, err := c.producerPlan()
	if err != nil {
		return err
	}
	opts, err := settings.Producer(p.settings, c.err)
	if err != nil {
		return err
	}
	client, err := c.connect(ctx, p.servers, p.settings, "perf-producer-client", opts...)
	if err != nil {
		return err
	}
	defer client.Close()
	if c.has("print-metrics") {
		fmt.Fprintln(c.err, "--print-metrics has no effect: the metrics of Kafka's Java client do not exist here")
	}
	if p.warmup > 0 {
		c.printf("Warmup first %d records. Steady state results will print after the complete test summary.\n", p.warmup)
	}
	m := &measurement{c: c, all: newStats(p.records), interval: p.interval, warmup: p.warmup}
	if p.warmup > 0 {
		m.steady = newStats(p.records - p.warmup)
	}
	if err := m.send(ctx, client, p); err != nil {
		return err
	}
	m.all.print(c, "")
	if m.steady != nil {
		m.steady.print(c, "steady state ")
	}
	return nil
}

// measurement collects what the producer's callbacks tell.
type measurement struct {
	c        *call
	mu       sync.Mutex // guards what follows; callbacks come from the client's goroutines
	all      *stats
	steady   *stats // after the warm-up; nil without one
	interval time.Duration
	warmup   int64
	seen     int64
}

func (m *measurement) send(ctx context.Context, client *kgo.Client, p *producerPlan) error {
	begun := time.Now()
	var inTransaction int64
	var since time.Time
	var last *kgo.Record
	for i := range p.records {
		if p.transactions > 0 && inTransaction == 0 {
			if err := client.BeginTransaction(); err != nil {
				return fmt.Errorf("begin a transaction: %w", err)
			}
			since = time.Now()
		}
		r := &kgo.Record{Topic: p.topic, Value: p.payload(i)}
		last = r
		sent := time.Now()
		client.Produce(ctx, r, func(r *kgo.Record, err error) { m.done(len(r.Value), sent, err) })
		inTransaction++
		if p.transactions > 0 && time.Since(since) >= p.transactions {
			if err := commitThrough(ctx, client, last); err != nil {
				return err
			}
			inTransaction = 0
		}
		if err := throttle(ctx, begun, i+1, p.throughput); err != nil {
			return err
		}
	}
	if p.transactions > 0 && inTransaction > 0 {
		return commitThrough(ctx, client, last)
	}
	if err := client.Flush(ctx); err != nil {
		return fmt.Errorf("wait for the acknowledgements: %w", err)
	}
	return nil
}

// commitThrough commits a transaction whose last record this is.
func commitThrough(ctx context.Context, client *kgo.Client, last *kgo.Record) error {
	if err := client.Flush(ctx); err != nil {
		return fmt.Errorf("wait for the acknowledgements: %w", err)
	}
	if err := commit.Commit(ctx, client, last); err != nil {
		return words.Of(err, "The transaction was not committed: "+words.WithClass(err, ""))
	}
	return nil
}

// throttle waits until n records are no more than the rate allows since begun.
func throttle(ctx context.Context, begun time.Time, n int64, rate float64) error {
	if rate <= 0 {
		return ctx.Err()
	}
	ahead := time.Duration(float64(n)/rate*float64(time.Second)) - time.Since(begun)
	if ahead < time.Millisecond {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(ahead):
		return nil
	}
}

func (m *measurement) done(bytes int, sent time.Time, err error) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		fmt.Fprintln(m.c.err, words.WithClass(err, ""))
		return
	}
	latency := now.Sub(sent)
	m.all.record(latency, bytes)
	if m.seen++; m.steady != nil && m.seen > m.warmup {
		if m.seen == m.warmup+1 {
			m.c.printf("In steady state.\n")
			m.steady.begun = now
		}
		m.steady.record(latency, bytes)
	}
	if now.Sub(m.all.window.begun) >= m.interval {
		m.all.printWindow(m.c, now)
	}
}
