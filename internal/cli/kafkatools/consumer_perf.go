package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/kafkatools/settings"
	"ottla/internal/cli/kafkatools/words"
)

func consumerPerfTool() *tool {
	return &tool{
		name: "kafka-consumer-perf-test", about: "Measure how fast records are read.",
		options: []option{
			{name: "bootstrap-server", arg: "HOST:PORT,...", required: true, help: "the servers to connect to"},
			{name: "topic", arg: "NAME", help: "the topic to read; this or --include is given"},
			{name: "include", arg: "REGEX", help: "read every topic whose name matches"},
			{name: "num-records", arg: "N", help: "REQUIRED: how many records to read"},
			{name: "messages", arg: "N", help: "(DEPRECATED) same as --num-records"},
			{name: "group", arg: "ID", help: "read in this group; without it no group is used"},
			{name: "fetch-size", arg: "BYTES", help: "how much of a partition one answer holds (default 1048576)"},
			{name: "from-latest", help: "begin at the end instead of the oldest record"},
			{name: "socket-buffer-size", arg: "BYTES", help: "accepted; the system chooses"},
			{name: "command-property", arg: "K=V", many: true, help: "a setting of the consumer, may be repeated"},
			{name: "consumer.config", arg: "FILE", instead: "command-config"},
			{name: "command-config", arg: "FILE", help: "settings of the consumer in a properties file"},
			{name: "print-metrics", help: "accepted; the metrics of Kafka's Java client do not exist here"},
			{name: "show-detailed-stats", help: "print a line each --reporting-interval"},
			{name: "reporting-interval", arg: "MS", help: "how often progress is printed (default 5000)"},
			{name: "timeout", arg: "MS", optional: true, help: "stop when no record comes for so long (default 10000)"},
			{name: "date-format", arg: "FORMAT", help: "how times are printed, in Java's letters (default yyyy-MM-dd HH:mm:ss:SSS)"},
			{name: "hide-header", help: "print no line of column names"},
		},
		check: checkConsumerPerf, run: consumerPerf,
	}
}

func checkConsumerPerf(c *call) error {
	switch {
	case c.has("topic") == c.has("include"):
		return usagef("Exactly one of the following arguments is required: [topic], [include]")
	case c.has("num-records") == c.has("messages"):
		return usagef("Exactly one of the following arguments is required: [messages], [num-records]")
	case c.has("messages"):
		c.printf("Warning: --messages is deprecated. Use --num-records instead.\n")
	}
	return nil
}

// consumerPlan is the parsed command line of a measurement.
type consumerPlan struct {
	records        int64
	idle, interval time.Duration
	dates          dateFormat
	settings       settings.Properties
}

func (c *call) consumerPlan() (*consumerPlan, error) {
	p := &consumerPlan{}
	count := "num-records"
	if c.has("messages") {
		count = "messages"
	}
	var err error
	if p.records, err = c.integer(count, 0); err != nil {
		return nil, err
	}
	idle, err := c.integer("timeout", 10_000)
	if err != nil {
		return nil, err
	}
	interval, err := c.integer("reporting-interval", 5000)
	if err != nil {
		return nil, err
	}
	if interval <= 0 {
		return nil, words.New("Reporting interval must be greater than 0.")
	}
	p.idle, p.interval = time.Duration(idle)*time.Millisecond, time.Duration(interval)*time.Millisecond
	if p.dates, err = newDateFormat(c.value("date-format", "yyyy-MM-dd HH:mm:ss:SSS")); err != nil {
		return nil, err
	}
	if p.settings, err = c.clientProperties([]string{"consumer.config", "command-config"}, []string{"command-property"}); err != nil {
		return nil, err
	}
	if c.has("group") {
		p.settings["group.id"] = c.value("group", "")
	}
	if _, set := p.settings["max.partition.fetch.bytes"]; !set || c.has("fetch-size") {
		p.settings["max.partition.fetch.bytes"] = c.value("fetch-size", "1048576")
	}
	p.settings["auto.offset.reset"] = "earliest"
	if c.has("from-latest") {
		p.settings["auto.offset.reset"] = "latest"
	}
	return p, nil
}

func consumerPerf(ctx context.Context, c *call) error {
	p, err := c.consumerPlan()
	if err != nil {
		return err
	}
	opts, err := settings.Consumer(p.settings, c.err)
	if err != nil {
		return err
	}
	what, err := c.consumed(p.settings)
	if err != nil {
		return err
	}
	if !c.has("hide-header") {
		first := "start.time, end.time"
		if c.has("show-detailed-stats") {
			first = "time, threadId"
		}
		c.printf("%s, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n", first)
	}
	r := &reading{c: c, plan: p, assigned: make(chan time.Time, 1)}
	if p.settings["group.id"] != "" {
		what = append(what, kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) {
			select {
			case r.assigned <- time.Now():
			default:
			}
		}))
	}
	client, err := c.connect(ctx, c.value("bootstrap-server", ""), p.settings, "perf-consumer-client", append(opts, what...)...)
	if err != nil {
		return err
	}
	defer client.Close()
	return r.run(ctx, client)
}

// reading is one measurement as it goes on.
type reading struct {
	c        *call
	plan     *consumerPlan
	assigned chan time.Time // when the group first gave us partitions

	begun          time.Time
	joined         time.Duration
	records, bytes int64
	reported       struct {
		at             time.Time
		records, bytes int64
	}
}

func (r *reading) run(ctx context.Context, client *kgo.Client) error {
	r.begun = time.Now()
	r.reported.at = r.begun
	last := r.begun
	for r.records < r.plan.records && time.Since(last) <= r.plan.idle {
		wait, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		fetches := client.PollFetches(wait)
		cancel()
		select {
		case at := <-r.assigned:
			r.joined = at.Sub(r.begun)
		default:
		}
		for it := fetches.RecordIter(); !it.Done(); {
			rec := it.Next()
			r.records++
			r.bytes += int64(len(rec.Key) + len(rec.Value))
			last = time.Now()
			client.MarkCommitRecords(rec)
		}
		if ctx.Err() != nil {
			break
		}
		if err := fetches.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return words.Of(err, words.WithClass(err, ""))
		}
		if now := time.Now(); now.Sub(r.reported.at) >= r.plan.interval {
			r.progress(now)
		}
	}
	end := time.Now()
	if r.records < r.plan.records {
		r.c.printf("WARNING: Exiting before consuming the expected number of messages: timeout (%d ms) exceeded. You can use the --timeout option to increase the timeout.\n", r.plan.idle.Milliseconds())
	}
	if !r.c.has("show-detailed-stats") {
		r.summary(end)
	}
	return nil
}

func (r *reading) progress(now time.Time) {
	if r.c.has("show-detailed-stats") {
		seconds := now.Sub(r.reported.at).Seconds()
		mb := float64(r.bytes-r.reported.bytes) / mebibyte
		n := float64(r.records - r.reported.records)
		r.c.printf("%s, 0, %.4f, %.4f, %d, %.4f, %d, %d, %.4f, %.4f\n", r.plan.dates.of(now), float64(r.bytes)/mebibyte, mb/seconds,
			r.records, n/seconds, r.joined.Milliseconds(), now.Sub(r.reported.at).Milliseconds(), mb/seconds, n/seconds)
	}
	r.reported.at, r.reported.records, r.reported.bytes = now, r.records, r.bytes
}

func (r *reading) summary(end time.Time) {
	elapsed, mb, n := end.Sub(r.begun), float64(r.bytes)/mebibyte, float64(r.records)
	fetching := elapsed - r.joined
	r.c.printf("%s, %s, %.4f, %.4f, %d, %.4f, %d, %d, %.4f, %.4f\n", r.plan.dates.of(r.begun), r.plan.dates.of(end),
		mb, mb/elapsed.Seconds(), r.records, n/elapsed.Seconds(), r.joined.Milliseconds(), fetching.Milliseconds(), mb/fetching.Seconds(), n/fetching.Seconds())
}

// javaDates are the letters of java.text.SimpleDateFormat that have a
// counterpart in Go, longest first.
var javaDates = strings.NewReplacer("yyyy", "2006", "yy", "06", "MMMM", "January", "MMM", "Jan", "MM", "01", "dd", "02",
	"HH", "15", "hh", "03", "mm", "04", "ss", "05", "a", "PM", "Z", "-0700", "z", "MST")

// dateFormat prints times by a SimpleDateFormat pattern. Milliseconds (SSS) may
// stand anywhere in one, but only after a point in Go's layouts, so the layouts
// around them are kept apart.
type dateFormat []string

func newDateFormat(pattern string) (dateFormat, error) {
	var f dateFormat
	for part := range strings.SplitSeq(pattern, "SSS") {
		layout := javaDates.Replace(part)
		rest := strings.NewReplacer("January", "", "Jan", "", "PM", "", "MST", "").Replace(layout)
		if strings.ContainsFunc(rest, unicode.IsLetter) {
			return nil, words.New("--date-format %s: this tool knows the letters yyyy MM dd HH hh mm ss SSS a z Z", pattern)
		}
		f = append(f, layout)
	}
	return f, nil
}

func (f dateFormat) of(t time.Time) string {
	parts := make([]string, len(f))
	for i, layout := range f {
		parts[i] = t.Format(layout)
	}
	return strings.Join(parts, fmt.Sprintf("%03d", t.Nanosecond()/int(time.Millisecond)))
}
