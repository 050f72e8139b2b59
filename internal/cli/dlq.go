package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/dlq"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/line"
	"ottla/internal/cli/out"
)

func dlqCommand(o *options) *cobra.Command {
	c := group("dlq", "", "List and show dead letters of share groups, and put them back", dlqList(o), dlqShow(o), dlqRedrive(o))
	c.Aliases = nil
	return c
}

func dlqList(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the topics for dead letters that groups name, with how much waits there and for how long",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, a, err := o.asking(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			named, err := dlq.Named(cmd.Context(), c, a)
			if err != nil {
				return kafkaFailure("cannot list dead letters", err)
			}
			t := &out.Table{Empty: "no group names a topic for dead letters (errors.deadletterqueue.topic.name)", Columns: []out.Column{
				{Field: "topic", Title: "TOPIC"}, {Field: "groups", Title: "GROUPS"}, {Field: "exists"}, {Field: "partitions", Title: "PARTITIONS", Right: true},
				{Field: "waiting", Title: "WAITING", Right: true}, {Field: "oldest"}, {Field: "oldest_seconds"}, {Field: "age", Title: "OLDEST", Right: true},
			}}
			topics := dlq.ByTopic(named)
			for _, topic := range slices.Sorted(maps.Keys(topics)) {
				q, err := dlq.Look(cmd.Context(), a, topic, topics[topic])
				if err != nil {
					return kafkaFailure("cannot look into "+topic, err)
				}
				at, err := q.Oldest(cmd.Context(), o.connect, o.timeout)
				if err != nil {
					return kafkaFailure("cannot look into "+topic, err)
				}
				oldest, seconds, shown := timeAndAge(at, time.Now())
				t.Add(topic, q.Groups, q.Exists, len(q.Parts), q.Waiting(), oldest, seconds, shown)
			}
			return o.print(t)
		},
	}
}

// timeAndAge is a time and how long ago it is: for programs, in seconds, and
// for people; nil for no time.
func timeAndAge(at, now time.Time) (when, seconds, shown any) {
	if at.IsZero() {
		return nil, nil, nil
	}
	d := max(0, now.Sub(at))
	return at.UTC().Format(time.RFC3339Nano), d.Seconds(), age(d)
}

// queue finds the topic that a name means: that of the name, or that of the
// group of the name, and then only the group's letters in it.
func (o *options) queue(ctx context.Context, c *kgo.Client, a *kadm.Client, name string, where []string) (*dlq.Queue, dlq.Filter, error) {
	f, err := dlq.ParseFilter(where)
	if err != nil {
		return nil, nil, fail.Usagef("--where: %v", err)
	}
	named, err := dlq.Named(ctx, c, a)
	if err != nil {
		return nil, nil, kafkaFailure("cannot find the dead letters of "+name, err)
	}
	topics, topic := dlq.ByTopic(named), name
	if of, ok := named[name]; ok && topics[name] == nil {
		topic, f = of, append(f, dlq.OfGroup(name))
	}
	q, err := dlq.Look(ctx, a, topic, topics[topic])
	if err != nil {
		return nil, nil, kafkaFailure("cannot look into "+topic, err)
	}
	if !q.Exists && topics[topic] == nil {
		return nil, nil, fail.New(fail.NotFound, "there are no dead letters of "+name,
			"no topic is called so, and no group of that name has a topic for dead letters (errors.deadletterqueue.topic.name)", "\"ottla dlq list\" shows what there is")
	}
	return q, f, nil
}

func dlqShow(o *options) *cobra.Command {
	var where []string
	var most int
	var all bool
	c := &cobra.Command{
		Use:   "show TOPIC|GROUP",
		Short: "Show dead letters: what was given up, from where, by whom, why, after how many deliveries",
		Long: "Show the dead letters of a topic, or those of a group, that wait: each with its record, where\n" +
			"that came from, which group gave it up, why, and how often it had been delivered.",
		Example:           "  ottla dlq show payments -n 5\n  ottla dlq show dlq.payments --where key=order-17 -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeLetters,
		RunE: func(cmd *cobra.Command, args []string) error {
			if most < 0 {
				return fail.Usagef("-n %d: give the number of letters, or 0 for all", most)
			}
			c, a, err := o.asking(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			q, f, err := o.queue(cmd.Context(), c, a, args[0], where)
			if err != nil {
				return err
			}
			found, err := q.Letters(cmd.Context(), o.connect, f, most, all, o.timeout)
			if err != nil {
				return kafkaFailure("cannot show dead letters of "+args[0], err)
			}
			return o.print(letterTable(found, time.Now(), o.format == "table"))
		},
	}
	c.Flags().IntVarP(&most, "number", "n", 20, "how many at most, 0 for all")
	c.Flags().BoolVar(&all, "all", false, "also those that were put back")
	bindWhere(c, &where)
	return c
}

func bindWhere(c *cobra.Command, where *[]string) {
	c.Flags().StringArrayVar(where, "where", nil, "only with key=KEY, reason=PART, partition=N, topic=NAME or group=NAME; may be repeated, all must hold")
}

// letterTable has a row for each letter; for people, keys and values are cut.
func letterTable(all []*dlq.Letter, now time.Time, people bool) *out.Table {
	t := &out.Table{Empty: "no dead letters wait", Columns: []out.Column{
		{Field: "letter", Title: "LETTER"}, {Field: "topic"}, {Field: "partition"}, {Field: "offset"},
		{Field: "time"}, {Field: "age_seconds"}, {Field: "age", Title: "AGE", Right: true},
		{Field: "origin", Title: "FROM"}, {Field: "origin_topic"}, {Field: "origin_partition"}, {Field: "origin_offset"},
		{Field: "group", Title: "GROUP"}, {Field: "deliveries", Title: "DELIVERIES", Right: true}, {Field: "reason", Title: "REASON"},
		{Field: "key", Title: "KEY"}, {Field: "key_base64"}, {Field: "value", Title: "VALUE"}, {Field: "value_base64"}, {Field: "headers"},
	}}
	for _, l := range all {
		form := line.Of(&kgo.Record{Key: l.Key, Value: l.Value, Headers: l.Headers})
		headers := form.Headers
		if headers == nil {
			headers = []line.Header{}
		}
		key, value := pointed(form.Key), pointed(form.Value)
		if people {
			key, value = shortly(l.Key), shortly(l.Value)
		}
		when, seconds, ago := timeAndAge(l.Time, now)
		t.Add(l.Name(), l.Topic, l.Partition, l.Offset, when, seconds, ago,
			orNil(l.Origin()), orNil(l.OriginTopic), notNegative(int64(l.OriginPartition)), notNegative(l.OriginOffset),
			orNil(l.Group), notNegative(l.Deliveries), orNil(l.Reason),
			key, pointed(form.KeyBase64), value, pointed(form.ValueBase64), headers)
	}
	return t
}

func pointed(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

// shortly is a key or value on a line of a table.
func shortly(b []byte) any {
	const most = 40
	if b == nil {
		return nil
	}
	text := shown(b)
	if strings.ContainsAny(text, "\n\t") {
		text = strconv.Quote(text)
	}
	runes := []rune(text)
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

// completeLetters completes topics for dead letters and groups that name one.
func (o *options) completeLetters(cmd *cobra.Command, taken []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(taken) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return o.live(func(ctx context.Context, a *kadm.Client) ([]string, error) {
		c, err := o.connect(ctx)
		if err != nil {
			return nil, fmt.Errorf("complete: %w", err)
		}
		defer c.Close()
		named, err := dlq.Named(ctx, c, a)
		names := slices.Sorted(maps.Keys(named))
		return append(names, slices.Sorted(maps.Keys(dlq.ByTopic(named)))...), err
	})(cmd, taken, word)
}
