package topics

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/event/line"
)

type consumeFlags struct {
	partitions  []int32
	from, until string
	count       int64
	exit        bool
	format      string
	committed   bool
	group       string
}

// ConsumeCommand reads records of a topic.
func ConsumeCommand(o *ask.Options) *cobra.Command {
	var c consumeFlags
	cmd := &cobra.Command{
		Use:   "consume TOPIC",
		Short: "Read records",
		Long: "Read records of a topic, without a consumer group unless --group names one: then what was\n" +
			"shown is committed, and --from counts only where the group has no offset. Positions are\n" +
			"start, end, an offset, -N (N records before the end), @TIME (RFC 3339) or @-10m (ago).\n" +
			"In a terminal records are shown for reading; in a pipe, or with -o ndjson, each is one\n" +
			"line of JSON. -f takes %k key, %v value, %t topic, %p partition, %o offset, %d time,\n" +
			"%h headers, %n newline, %% percent.",
		Example: "  ottla consume orders --from -10\n" +
			"  ottla consume orders --from @-1h --exit -o ndjson\n" +
			"  ottla consume orders --group reports",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.group != "" {
				return consumeInGroup(cmd.Context(), o, &c, args[0])
			}
			return consume(cmd.Context(), o, &c, args[0])
		},
	}
	f := cmd.Flags()
	f.Int32SliceVarP(&c.partitions, "partition", "p", nil, "only these partitions")
	f.StringVarP(&c.group, "group", "g", "", "read in this consumer group, sharing partitions with its other members")
	f.StringVar(&c.from, "from", "start", "where to begin")
	f.StringVar(&c.until, "until", "", "where to stop (exclusive)")
	f.Int64VarP(&c.count, "number", "n", 0, "stop after this many records (0: no limit)")
	f.BoolVarP(&c.exit, "exit", "e", false, "stop at the end instead of waiting for more")
	f.StringVarP(&c.format, "format", "f", "", "percent format of one record")
	f.BoolVar(&c.committed, "read-committed", false, "leave out records of aborted and open transactions")
	return cmd
}

func consume(ctx context.Context, o *ask.Options, c *consumeFlags, topic string) error {
	show, err := c.printer(o)
	if err != nil {
		return err
	}
	client, err := o.Connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	span, err := c.span(ctx, kadm.NewClient(client), topic)
	if err != nil {
		return err
	}
	if len(span) == 0 {
		return nil
	}
	offsets := map[int32]kgo.Offset{}
	for p, s := range span {
		offsets[p] = kgo.NewOffset().At(s.begin)
	}
	// Markers of transactions are kept, and not shown: the end may lie behind one.
	opts := []kgo.Opt{kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}), kgo.KeepControlRecords()}
	if c.committed {
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	reader, err := o.Connect(ctx, opts...)
	if err != nil {
		return err
	}
	defer reader.Close()
	w := bufio.NewWriterSize(o.Out, 64<<10)
	err = pump(ctx, reader, span, c.count, func(r *kgo.Record) error { return show(w, r) }, w.Flush)
	if flushErr := w.Flush(); err == nil {
		err = flushErr
	}
	return err
}

// groupIdle is how long nothing comes before --exit takes a group to be at the
// end.
const groupIdle = time.Second

// consumeInGroup reads as a member of a group and commits what was shown.
func consumeInGroup(ctx context.Context, o *ask.Options, c *consumeFlags, topic string) error {
	if len(c.partitions) > 0 || c.until != "" {
		return fail.Usagef("--group shares partitions by itself: --partition and --until do not go with it")
	}
	show, err := c.printer(o)
	if err != nil {
		return err
	}
	opts, err := c.groupOptions(topic)
	if err != nil {
		return err
	}
	assigned := make(chan struct{}, 1)
	opts = append(opts, kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) {
		select {
		case assigned <- struct{}{}:
		default:
		}
	}))
	client, err := o.Connect(ctx, opts...)
	if err != nil {
		return err
	}
	defer client.Close()
	if found, err := kadm.NewClient(client).ListTopicsWithInternal(ctx, topic); err != nil {
		return ask.KafkaFailure("cannot read topic "+topic, err)
	} else if found[topic].Err != nil {
		return ask.TopicFailure("cannot read topic "+topic, topic, found[topic].Err, "")
	}
	w := bufio.NewWriterSize(o.Out, 64<<10)
	err = pumpGroup(ctx, client, c, assigned, func(r *kgo.Record) error { return show(w, r) }, w.Flush)
	if flushErr := w.Flush(); err == nil {
		err = flushErr
	}
	// What was shown is committed also when Ctrl-C ended the reading.
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Timeout)
	defer cancel()
	if commitErr := client.CommitMarkedOffsets(wait); err == nil && commitErr != nil {
		err = ask.KafkaFailure("the offsets of group "+c.group+" were not committed", commitErr)
	}
	return err
}

// groupOptions are those of a member of the group, from where --from says.
func (c *consumeFlags) groupOptions(topic string) ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.ConsumerGroup(c.group), kgo.ConsumeTopics(topic), kgo.AutoCommitMarks(), kgo.UnknownTopicRetries(-1)}
	switch at, err := parsePosition(c.from, time.Now()); {
	case err != nil:
		return nil, err
	case at.kind == atStart:
		opts = append(opts, kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	case at.kind == atEnd:
		opts = append(opts, kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
	case at.kind == atTime:
		opts = append(opts, kgo.ConsumeResetOffset(kgo.NewOffset().AfterMilli(at.at.UnixMilli())))
	default:
		return nil, fail.Usagef("--from %s: in a group it takes start, end or @TIME; \"ottla group reset\" moves a group to an offset", c.from)
	}
	if c.committed {
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	return opts, nil
}

// pumpGroup hands records to show until count were shown, with --exit until
// nothing comes any more, or the context ends (which is no error).
func pumpGroup(ctx context.Context, client *kgo.Client, c *consumeFlags, assigned <-chan struct{}, show func(*kgo.Record) error, flush func() error) error {
	joined := false
	for shown := int64(0); c.count == 0 || shown < c.count; {
		wait, cancel := ctx, context.CancelFunc(func() {})
		if c.exit {
			wait, cancel = context.WithTimeout(ctx, groupIdle)
		}
		fetches := client.PollFetches(wait)
		cancel()
		select {
		case <-assigned:
			joined = true
		default:
		}
		if ctx.Err() != nil {
			return nil
		}
		for it := fetches.RecordIter(); !it.Done() && (c.count == 0 || shown < c.count); shown++ {
			r := it.Next()
			if err := show(r); err != nil {
				return err
			}
			client.MarkCommitRecords(r)
		}
		if err := flush(); err != nil {
			return err
		}
		if err := fetches.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return ask.KafkaFailure("cannot read in group "+c.group, err)
		}
		if c.exit && joined && fetches.NumRecords() == 0 {
			return nil
		}
	}
	return nil
}

// pump hands records to show until every partition's span is read, count
// records were shown, or the context ends (which is no error: Ctrl-C).
func pump(ctx context.Context, reader *kgo.Client, span map[int32]*span, count int64, show func(*kgo.Record) error, flush func() error) error {
	open := 0
	for _, s := range span {
		if s.bounded() {
			open++
		}
	}
	bounded := open > 0
	shown := int64(0)
	for !bounded || open > 0 {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var failed error
		fetches.EachError(func(t string, p int32, err error) {
			if failed == nil && !errors.Is(err, context.Canceled) {
				failed = ask.KafkaFailure(fmt.Sprintf("cannot read %s-%d", t, p), err)
			}
		})
		if failed != nil {
			return failed
		}
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			s := span[r.Partition]
			if s == nil || s.done {
				continue
			}
			if (!s.bounded() || r.Offset < s.end) && !r.Attrs.IsControl() {
				if err := show(r); err != nil {
					return err
				}
				shown++
				if count > 0 && shown == count {
					return nil
				}
			}
			if s.bounded() && r.Offset+1 >= s.end {
				s.done = true
				open--
			}
		}
		if err := flush(); err != nil {
			return err
		}
	}
	return nil
}

// printer chooses how one record is shown.
func (c *consumeFlags) printer(o *ask.Options) (func(ask.Writer, *kgo.Record) error, error) {
	if c.format != "" {
		return percentPrinter(c.format)
	}
	switch {
	case o.Format == "json", o.Format == "ndjson", o.Format == "table" && !ask.Terminal(o.Out):
		var buf []byte
		return func(w ask.Writer, r *kgo.Record) (err error) {
			if buf, err = line.Append(buf[:0], r); err != nil {
				return err
			}
			_, err = w.Write(buf)
			return err
		}, nil
	case o.Format == "table":
		return readable, nil
	}
	return nil, fail.Usagef("-o %s is not for records: it takes table, json or ndjson; -f takes a format", o.Format)
}

// readable is the form for people: where and when, key, value.
func readable(w ask.Writer, r *kgo.Record) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s-%d @ %d  %s", r.Topic, r.Partition, r.Offset, r.Timestamp.Format("2006-01-02 15:04:05.000"))
	if r.Key != nil {
		fmt.Fprintf(&b, "  key %s", ask.Shown(r.Key))
	}
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "  %s=%s", h.Key, ask.Shown(h.Value))
	}
	fmt.Fprintf(&b, "\n  %s\n", ask.Shown(r.Value))
	_, err := w.WriteString(b.String())
	return err
}

// percentPrinter compiles a percent format.
func percentPrinter(format string) (func(ask.Writer, *kgo.Record) error, error) {
	type piece func(*strings.Builder, *kgo.Record)
	var pieces []piece
	text := func(s string) piece { return func(b *strings.Builder, _ *kgo.Record) { b.WriteString(s) } }
	verbs := map[byte]piece{
		'k': func(b *strings.Builder, r *kgo.Record) { b.Write(r.Key) },
		'v': func(b *strings.Builder, r *kgo.Record) { b.Write(r.Value) },
		't': func(b *strings.Builder, r *kgo.Record) { b.WriteString(r.Topic) },
		'p': func(b *strings.Builder, r *kgo.Record) { fmt.Fprint(b, r.Partition) },
		'o': func(b *strings.Builder, r *kgo.Record) { fmt.Fprint(b, r.Offset) },
		'd': func(b *strings.Builder, r *kgo.Record) {
			b.WriteString(r.Timestamp.UTC().Format("2006-01-02T15:04:05.000Z"))
		},
		'h': func(b *strings.Builder, r *kgo.Record) {
			for i, h := range r.Headers {
				if i > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(b, "%s=%s", h.Key, h.Value)
			}
		},
		'n': text("\n"), '%': text("%"),
	}
	format = strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(format)
	for rest := format; rest != ""; {
		before, after, found := strings.Cut(rest, "%")
		pieces = append(pieces, text(before))
		if !found {
			break
		}
		if after == "" || verbs[after[0]] == nil {
			return nil, fail.Usagef("format %q: %%%.1s is not known: it takes %%k %%v %%t %%p %%o %%d %%h %%n %%%%", format, after)
		}
		pieces = append(pieces, verbs[after[0]])
		rest = after[1:]
	}
	return func(w ask.Writer, r *kgo.Record) error {
		var b strings.Builder
		for _, p := range pieces {
			p(&b, r)
		}
		_, err := w.WriteString(b.String())
		return err
	}, nil
}
