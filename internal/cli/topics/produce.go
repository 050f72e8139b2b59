package topics

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/event/line"
)

// maxLine bounds one record on standard input; the server's own limit
// (max.message.bytes) is usually far below.
const maxLine = 64 << 20

type produceFlags struct {
	input, key, keySeparator, acks, compression string
	headers                                     []string
	partition                                   int32
	null                                        bool
}

// ProduceCommand writes records into a topic.
func ProduceCommand(o *ask.Options) *cobra.Command {
	var p produceFlags
	c := &cobra.Command{
		Use:   "produce TOPIC [VALUE...]",
		Short: "Write records, from the arguments or one a line from standard input",
		Example: "  echo '{\"id\":1}' | ottla produce orders\n" +
			"  ottla produce orders --key 17 '{\"id\":1}'\n" +
			"  ottla consume orders --exit -o ndjson | ottla produce copy --input ndjson",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return produce(cmd.Context(), o, &p, args[0], args[1:])
		},
	}
	f := c.Flags()
	f.StringVar(&p.input, "input", "lines", "form of standard input: lines, or ndjson as consume -o ndjson writes it")
	f.StringVarP(&p.key, "key", "k", "", "key of every record")
	f.StringVarP(&p.keySeparator, "key-separator", "K", "", "split each line into key and value at this text")
	f.StringArrayVarP(&p.headers, "header", "H", nil, "a header as NAME=VALUE, may be repeated")
	f.Int32VarP(&p.partition, "partition", "p", -1, "the partition to write to")
	f.StringVar(&p.acks, "acks", "all", "all, 1 or 0")
	f.StringVarP(&p.compression, "compression", "z", "none", "none, gzip, snappy, lz4 or zstd")
	f.BoolVar(&p.null, "null", false, "write one record with a null value (a tombstone)")
	return c
}

func produce(ctx context.Context, o *ask.Options, p *produceFlags, topic string, values []string) error {
	base, err := p.record(topic)
	if err != nil {
		return err
	}
	opts, err := p.clientOptions()
	if err != nil {
		return err
	}
	c, err := o.Connect(ctx, opts...)
	if err != nil {
		return err
	}
	defer c.Close()
	s := &sender{client: c, topic: topic}
	switch {
	case p.null:
		s.send(ctx, base)
	case len(values) > 0:
		for _, v := range values {
			r := *base
			r.Value = []byte(v)
			s.send(ctx, &r)
		}
	default:
		if err := p.stdin(ctx, o.In, s, base); err != nil {
			return err
		}
	}
	return s.finish(ctx, o)
}

// record is the pattern of every record: topic, key, headers, partition.
func (p *produceFlags) record(topic string) (*kgo.Record, error) {
	r := &kgo.Record{Topic: topic, Partition: p.partition}
	if p.key != "" {
		r.Key = []byte(p.key)
	}
	for _, h := range p.headers {
		k, v, ok := strings.Cut(h, "=")
		if !ok {
			return nil, fail.Usagef("header %q is not NAME=VALUE", h)
		}
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: k, Value: []byte(v)})
	}
	if p.input != "lines" && p.input != "ndjson" {
		return nil, fail.Usagef("--input %s is not known: it takes lines or ndjson", p.input)
	}
	return r, nil
}

func (p *produceFlags) clientOptions() ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.AllowAutoTopicCreation(), kgo.ProducerBatchMaxBytes(maxLine), kgo.BrokerMaxWriteBytes(100 << 20)}
	switch p.acks {
	case "all", "-1":
	case "1":
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	case "0":
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	default:
		return nil, fail.Usagef("--acks %s is not known: it takes all, 1 or 0", p.acks)
	}
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	codec, ok := codecs[p.compression]
	if !ok {
		return nil, fail.Usagef("--compression %s is not known: it takes none, gzip, snappy, lz4 or zstd", p.compression)
	}
	opts = append(opts, kgo.ProducerBatchCompression(codec))
	if p.partition >= 0 {
		opts = append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	return opts, nil
}

// stdin sends every line of standard input.
func (p *produceFlags) stdin(ctx context.Context, in io.Reader, s *sender, base *kgo.Record) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for n := 1; lines.Scan() && s.failed() == nil; n++ {
		r := *base
		if p.input == "ndjson" {
			parsed, err := line.Parse(lines.Bytes())
			if err != nil {
				return fail.New(fail.Usage, fmt.Sprintf("line %d of standard input is not a record", n), err.Error(),
					"see \"ottla consume -o ndjson\" for the form")
			}
			parsed.Apply(&r)
		} else {
			p.plain(lines.Text(), &r)
		}
		s.send(ctx, &r)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	return nil
}

func (p *produceFlags) plain(text string, r *kgo.Record) {
	if p.keySeparator != "" {
		if k, v, ok := strings.Cut(text, p.keySeparator); ok {
			r.Key, r.Value = []byte(k), []byte(v)
			return
		}
	}
	r.Value = []byte(text)
}

// sender counts what was acknowledged and keeps the first failure.
type sender struct {
	client *kgo.Client
	topic  string
	mu     sync.Mutex // guards sent, first
	sent   int
	first  error
}

func (s *sender) send(ctx context.Context, r *kgo.Record) {
	s.client.Produce(ctx, r, func(_ *kgo.Record, err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err == nil {
			s.sent++
		} else if s.first == nil {
			s.first = err
		}
	})
}

func (s *sender) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

func (s *sender) finish(ctx context.Context, o *ask.Options) error {
	if err := s.client.Flush(ctx); err != nil {
		return ask.KafkaFailure("not all records were acknowledged", err)
	}
	if err := s.failed(); err != nil {
		return s.explain(err)
	}
	if ask.Terminal(o.Err) {
		fmt.Fprintf(o.Err, "%s acknowledged in %s\n", ask.CountWord(int64(s.sent), "record"), s.topic)
	}
	return nil
}

func (s *sender) explain(err error) error {
	what := fmt.Sprintf("a record for %s was not written (%s before it)", s.topic, ask.CountWord(int64(s.sent), "record"))
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return ask.TopicFailure(what, s.topic, err, "")
	}
	if errors.Is(err, kerr.MessageTooLarge) {
		return fail.New(fail.Failed, what, "it is larger than the topic's max.message.bytes",
			"\"ottla config set max.message.bytes=… --topic "+s.topic+"\", or write smaller records")
	}
	return ask.KafkaFailure(what, err)
}
