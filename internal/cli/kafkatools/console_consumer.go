package kafkatools

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/kafkatools/settings"
	"ottla/internal/cli/kafkatools/text"
	"ottla/internal/cli/kafkatools/words"
)

func consoleConsumerTool() *tool {
	return &tool{
		name: "kafka-console-consumer", about: "Print the records of topics.",
		options: []option{
			{name: "bootstrap-server", arg: "HOST:PORT,...", help: "REQUIRED: the servers to connect to"},
			{name: "topic", arg: "NAME", help: "the topic to read"},
			{name: "include", arg: "REGEX", help: "read every topic whose name matches"},
			{name: "partition", arg: "N", help: "read this partition only"},
			{name: "offset", arg: "OFFSET", help: "where to begin in --partition: earliest, latest or a number"},
			{name: "from-beginning", help: "begin with the oldest record where the group has no offset"},
			{name: "group", arg: "ID", help: "consume in this group and commit; without it no group is used"},
			{name: "max-messages", arg: "N", help: "stop after so many records"},
			{name: "timeout-ms", arg: "MS", help: "stop when no record comes for so long"},
			{name: "isolation-level", arg: "LEVEL", help: "read_uncommitted or read_committed"},
			{name: "skip-message-on-error", help: "go on when a record cannot be printed"},
			{name: "enable-systest-events", help: "print shutdown_complete at the end"},
			{name: "formatter", arg: "CLASS", help: "DefaultMessageFormatter, LoggingMessageFormatter, NoOpMessageFormatter, OffsetsMessageFormatter or GroupMetadataMessageFormatter of " + text.FormatterPackage[:len(text.FormatterPackage)-1]},
			{name: "formatter-property", arg: "K=V", many: true, help: "print.timestamp, print.partition, print.offset, print.headers, print.key, print.value, key.separator, line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, headers.deserializer"},
			{name: "formatter-config", arg: "FILE", help: "the same from a properties file"},
			{name: "key-deserializer", arg: "CLASS", help: "how keys are shown"},
			{name: "value-deserializer", arg: "CLASS", help: "how values are shown"},
			{name: "consumer-property", arg: "K=V", many: true, instead: "command-property"},
			{name: "property", arg: "K=V", many: true, instead: "formatter-property"},
			{name: "command-property", arg: "K=V", many: true, help: "a setting of the consumer, may be repeated"},
			{name: "consumer.config", arg: "FILE", instead: "command-config"},
			{name: "command-config", arg: "FILE", help: "settings of the consumer in a properties file"},
		},
		check: checkConsoleConsumer, run: consoleConsume,
	}
}

func checkConsoleConsumer(c *call) error {
	switch {
	case c.has("topic") == c.has("include"):
		return usagef("Exactly one of the following arguments is required: [topic], [include]")
	case c.has("partition") && !c.has("topic"):
		return usagef("The topic is required when partition is specified.")
	case c.has("partition") && c.has("from-beginning") && c.has("offset"):
		return usagef("Options from-beginning and offset cannot be specified together.")
	case !c.has("partition") && c.has("offset"):
		return usagef("The partition is required when offset is specified.")
	case !c.has("bootstrap-server"):
		return usagef("Missing required argument \"[bootstrap-server]\"")
	}
	_, err := c.startOffset()
	return err
}

// startOffset is where --partition begins.
func (c *call) startOffset() (kgo.Offset, error) {
	word := c.value("offset", "")
	switch {
	case strings.EqualFold(word, "earliest"), word == "" && c.has("from-beginning"):
		return kgo.NewOffset().AtStart(), nil
	case strings.EqualFold(word, "latest"), word == "":
		return kgo.NewOffset().AtEnd(), nil
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil || n < 0 {
		return kgo.Offset{}, usagef("The provided offset value '%s' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.", word)
	}
	return kgo.NewOffset().At(n), nil
}

func consoleConsume(ctx context.Context, c *call) error {
	format, err := c.consoleFormatter()
	if err != nil {
		return err
	}
	p, err := c.consoleConsumerSettings()
	if err != nil {
		return err
	}
	opts, err := settings.Consumer(p, c.err)
	if err != nil {
		return err
	}
	what, err := c.consumed(p)
	if err != nil {
		return err
	}
	client, err := c.connect(ctx, c.value("bootstrap-server", ""), p, "console-consumer", append(opts, what...)...)
	if err != nil {
		return err
	}
	limit, err := c.integer("max-messages", -1)
	if err != nil {
		return err
	}
	idle, err := c.integer("timeout-ms", -1)
	if err != nil {
		return err
	}
	printed, err := c.printRecords(ctx, client, format, limit, time.Duration(idle)*time.Millisecond)
	if p["group.id"] != "" {
		client.LeaveGroup() // commits what was printed
	}
	client.Close()
	fmt.Fprintf(c.err, "Processed a total of %d messages\n", printed)
	if c.has("enable-systest-events") {
		c.printf("shutdown_complete\n")
	}
	return err
}

func (c *call) consoleFormatter() (text.Formatter, error) {
	p := settings.Properties{}
	if path := c.value("formatter-config", ""); path != "" {
		file, err := settings.Read(path)
		if err != nil {
			return nil, err
		}
		maps.Copy(p, file)
	}
	for flag, name := range map[string]string{"key-deserializer": "key.deserializer", "value-deserializer": "value.deserializer"} {
		if v := c.value(flag, ""); v != "" {
			p[name] = v
		}
	}
	maps.Copy(p, settings.Pairs(c.values("property", "formatter-property")))
	return text.NewFormatter(c.value("formatter", text.FormatterPackage+"DefaultMessageFormatter"), p)
}

// consoleConsumerSettings merges the tool's own options into the settings.
func (c *call) consoleConsumerSettings() (settings.Properties, error) {
	p, err := c.clientProperties([]string{"consumer.config", "command-config"}, []string{"consumer-property", "command-property"})
	if err != nil {
		return nil, err
	}
	if g, given := c.value("group", ""), p["group.id"]; g != "" && given != "" && g != given {
		groups := []string{"'" + g + "'", "'" + given + "'"}
		slices.Sort(groups)
		return nil, usagef("The group ids provided in different places (directly using '--group', via '--command-property', or via '--command-config') do not match. Detected group ids: %s", strings.Join(groups, ", "))
	}
	if c.has("group") {
		p["group.id"] = c.value("group", "")
	}
	if p["group.id"] != "" && c.has("partition") {
		return nil, usagef("Options group and partition cannot be specified together.")
	}
	reset, set := p["auto.offset.reset"]
	switch {
	case set && c.has("from-beginning") && reset != "earliest":
		return nil, words.New("Can't simultaneously specify --from-beginning and 'auto.offset.reset=%s', please remove one option", reset)
	case c.has("from-beginning"):
		p["auto.offset.reset"] = "earliest"
	}
	if c.has("isolation-level") {
		p["isolation.level"] = c.value("isolation-level", "")
	}
	return p, nil
}

// consumed says which partitions are read. Without --group Kafka makes up a
// group that is thrown away; here none is needed.
func (c *call) consumed(p settings.Properties) ([]kgo.Opt, error) {
	if c.has("partition") {
		n, err := c.integer("partition", 0)
		if err != nil {
			return nil, err
		}
		at, err := c.startOffset()
		if err != nil {
			return nil, err
		}
		return []kgo.Opt{kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.value("topic", ""): {int32(n): at}})}, nil
	}
	var opts []kgo.Opt
	if c.has("include") {
		opts = append(opts, kgo.ConsumeRegex(), kgo.ConsumeTopics("^(?:"+c.value("include", "")+")$"))
	} else {
		opts = append(opts, kgo.ConsumeTopics(c.value("topic", "")))
	}
	if p["group.id"] == "" {
		return opts, nil
	}
	group, err := settings.Group(p)
	return append(opts, group...), err
}

// printRecords prints until limit records were printed (limit >= 0), none came
// for idle (idle > 0), or ctx ends, and returns how many were printed.
func (c *call) printRecords(ctx context.Context, client *kgo.Client, format text.Formatter, limit int64, idle time.Duration) (printed int64, err error) {
	w := bufio.NewWriterSize(c.out, 64<<10)
	defer func() {
		if flush := w.Flush(); flush != nil && err == nil {
			fmt.Fprintln(c.err, "Unable to write to standard out, closing consumer.")
		}
	}()
	for limit < 0 || printed < limit {
		wait, cancel := ctx, context.CancelFunc(func() {})
		if idle > 0 {
			wait, cancel = context.WithTimeout(ctx, idle)
		}
		fetches := client.PollFetches(wait)
		cancel()
		for it := fetches.RecordIter(); !it.Done() && (limit < 0 || printed < limit); {
			r := it.Next()
			printed++
			if err := format(w, r); err != nil && !c.has("skip-message-on-error") {
				return printed, err
			} else if err != nil {
				fmt.Fprintln(c.err, "Error processing message, skipping this message:", err)
			}
			client.MarkCommitRecords(r)
		}
		if w.Buffered() > 0 {
			if err := w.Flush(); err != nil {
				fmt.Fprintln(c.err, "Unable to write to standard out, closing consumer.")
				return printed, nil
			}
		}
		if done, err := c.pollFailed(ctx, fetches); done || err != nil {
			return printed, err
		}
	}
	return printed, nil
}

// pollFailed tells whether a poll ended the reading: the context ended, nothing
// came in time (which is no failure, as in Kafka), or the server refused.
func (c *call) pollFailed(ctx context.Context, fetches kgo.Fetches) (done bool, err error) {
	if ctx.Err() != nil {
		return true, nil
	}
	fetches.EachError(func(topic string, partition int32, e error) {
		if errors.Is(e, context.DeadlineExceeded) {
			done = true
		} else if err == nil {
			err = words.Of(e, fmt.Sprintf("Error processing message, terminating consumer process: %s-%d: %s", topic, partition, words.WithClass(e, "")))
		}
	})
	if done {
		fmt.Fprintln(c.err, "Error processing message, terminating consumer process: no record came within --timeout-ms")
	}
	return done, err
}
