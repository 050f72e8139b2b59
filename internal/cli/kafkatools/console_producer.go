package kafkatools

import (
	"context"
	"fmt"
	"maps"
	"os"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/kafkatools/settings"
	"ottla/internal/cli/kafkatools/text"
	"ottla/internal/cli/kafkatools/words"
)

func consoleProducerTool() *tool {
	return &tool{
		name: "kafka-console-producer", about: "Write each line of standard input as a record.",
		options: []option{
			{name: "bootstrap-server", arg: "HOST:PORT,...", required: true, help: "the servers to connect to"},
			{name: "topic", arg: "NAME", required: true, help: "the topic to write to"},
			{name: "sync", help: "wait for each record's acknowledgement"},
			{name: "compression-codec", arg: "CODEC", optional: true, help: "none, gzip, snappy, lz4 or zstd; gzip when no codec follows"},
			{name: "batch-size", arg: "BYTES", help: "accepted; batches grow with what waits here"},
			{name: "message-send-max-retries", arg: "N", help: "retries of a record"},
			{name: "retry-backoff-ms", arg: "MS", help: "accepted; the pause between retries is chosen here"},
			{name: "timeout", arg: "MS", help: "how long a record may wait for others"},
			{name: "request-required-acks", arg: "ACKS", help: "all (-1), 1 or 0"},
			{name: "request-timeout-ms", arg: "MS", help: "how long a request may take"},
			{name: "metadata-expiry-ms", arg: "MS", help: "how old metadata may be"},
			{name: "max-block-ms", arg: "MS", help: "accepted"},
			{name: "max-memory-bytes", arg: "BYTES", help: "how much may wait to be sent"},
			{name: "max-partition-memory-bytes", arg: "BYTES", instead: "batch-size"},
			{name: "line-reader", arg: "CLASS", help: "only " + text.LineClass + " exists here"},
			{name: "socket-buffer-size", arg: "BYTES", help: "accepted; the system chooses"},
			{name: "reader-property", arg: "K=V", many: true, help: "how lines are read: parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, headers.key.separator, null.marker, ignore.error"},
			{name: "reader-config", arg: "FILE", help: "the same from a properties file"},
			{name: "producer-property", arg: "K=V", many: true, instead: "command-property"},
			{name: "property", arg: "K=V", many: true, instead: "reader-property"},
			{name: "command-property", arg: "K=V", many: true, help: "a setting of the producer, may be repeated"},
			{name: "producer.config", arg: "FILE", instead: "command-config"},
			{name: "command-config", arg: "FILE", help: "settings of the producer in a properties file"},
		},
		run: consoleProduce,
	}
}

func consoleProduce(ctx context.Context, c *call) error {
	if class := c.value("line-reader", text.LineClass); class != text.LineClass {
		return words.New("The line reader %s is Java code, which this tool cannot run; it has %s", class, text.LineClass)
	}
	lines := settings.Properties{}
	if path := c.value("reader-config", ""); path != "" {
		p, err := settings.Read(path)
		if err != nil {
			return err
		}
		maps.Copy(lines, p)
	}
	maps.Copy(lines, settings.Pairs(c.values("property", "reader-property")))
	reader, err := text.NewLineReader(c.value("topic", ""), lines)
	if err != nil {
		return kafkaException(err)
	}
	given, err := c.consoleProducerSettings()
	if err != nil {
		return err
	}
	opts, err := settings.Producer(given, c.err)
	if err != nil {
		return err
	}
	client, err := c.connect(ctx, c.value("bootstrap-server", ""), given, "console-producer", opts...)
	if err != nil {
		return err
	}
	defer client.Close()
	return c.produceLines(ctx, client, reader)
}

// consoleProducerSettings merges the tool's own options into the settings;
// what --command-property and files say wins where both are given.
func (c *call) consoleProducerSettings() (settings.Properties, error) {
	p, err := c.clientProperties([]string{"producer.config", "command-config"}, []string{"producer-property", "command-property"})
	if err != nil {
		return nil, err
	}
	for flag, setting := range map[string]string{
		"message-send-max-retries": "retries", "timeout": "linger.ms", "request-required-acks": "acks", "request-timeout-ms": "request.timeout.ms",
		"metadata-expiry-ms": "metadata.max.age.ms", "max-memory-bytes": "buffer.memory",
	} {
		if _, set := p[setting]; !set && c.has(flag) {
			p[setting] = c.value(flag, "")
		}
	}
	if c.has("compression-codec") {
		p["compression.type"] = c.value("compression-codec", "gzip")
	}
	return p, nil
}

// produceLines sends every line. A record that is not written is reported and
// the others still go, as in Kafka; the exit code says so in the end, which
// Kafka's does not.
func (c *call) produceLines(ctx context.Context, client *kgo.Client, reader *text.LineReader) error {
	var mu sync.Mutex // guards lost and the order of reports
	lost := false
	report := func(r *kgo.Record, err error) {
		if err == nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		lost = true
		fmt.Fprintf(c.err, "Error when sending message to topic %s with key: %s, value: %s with error:\n%s\n", r.Topic, size(r.Key), size(r.Value), words.WithClass(err, ""))
	}
	prompt := func() {}
	if terminal(c.in) && terminal(c.out) {
		prompt = func() { c.printf(">") }
	}
	err := text.EachLine(c.in, prompt, func(line string) error {
		r, err := reader.Record(line)
		if err != nil {
			return kafkaException(err)
		}
		if c.has("sync") {
			report(r, client.ProduceSync(ctx, r).FirstErr())
			return nil
		}
		client.Produce(ctx, r, report)
		return nil
	})
	if flush := client.Flush(ctx); err == nil && flush != nil {
		err = fmt.Errorf("wait for the acknowledgements: %w", flush)
	}
	if err == nil && lost {
		err = errReported
	}
	return err
}

// kafkaException is an error as Java prints one of its own making.
func kafkaException(err error) error {
	return words.New("org.apache.kafka.common.KafkaException: %v", err)
}

func size(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%d bytes", len(b))
}

// terminal tells whether a person is at the other end.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
