package topics

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
)

func topicDescribe(o *ask.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "describe NAME...",
		Short: "Show partitions with their offsets, and what is set on the topic",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			topics, err := a.ListTopicsWithInternal(cmd.Context(), names...)
			if err != nil {
				return ask.KafkaFailure("cannot describe topics", err)
			}
			for _, name := range names {
				if d, ok := topics[name]; !ok || d.Err != nil {
					return ask.TopicFailure("cannot describe topic "+name, name, ask.ErrUnknownTopic, "")
				}
			}
			starts, ends, err := ask.Offsets(cmd.Context(), a, names...)
			if err != nil {
				return err
			}
			if o.Format == "table" {
				if err := describeSettings(cmd.Context(), o, a, names, topics); err != nil {
					return err
				}
			}
			return o.Print(partitionTable(names, topics, starts, ends))
		},
	}
}

func partitionTable(names []string, topics kadm.TopicDetails, starts, ends kadm.ListedOffsets) *out.Table {
	t := &out.Table{Columns: []out.Column{
		{Field: "topic", Title: "TOPIC"}, {Field: "partition", Title: "PARTITION", Right: true},
		{Field: "leader", Title: "LEADER", Right: true}, {Field: "leader_epoch", Title: "EPOCH", Right: true},
		{Field: "replicas", Title: "REPLICAS"}, {Field: "isr", Title: "IN SYNC"},
		{Field: "start_offset", Title: "START", Right: true}, {Field: "end_offset", Title: "END", Right: true},
		{Field: "records", Title: "RECORDS", Right: true},
	}}
	for _, name := range names {
		for _, p := range topics[name].Partitions.Sorted() {
			start, end := starts[name][p.Partition], ends[name][p.Partition]
			row := []any{name, p.Partition, p.Leader, p.LeaderEpoch, p.Replicas, p.ISR, nil, nil, nil}
			if start.Err == nil && end.Err == nil {
				row[6], row[7], row[8] = start.Offset, end.Offset, end.Offset-start.Offset
			}
			t.Add(row...)
		}
	}
	return t
}

// describeSettings prints, for people, the head of each topic and its own
// settings.
func describeSettings(ctx context.Context, o *ask.Options, a *kadm.Client, names []string, topics kadm.TopicDetails) error {
	configs, err := a.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return ask.KafkaFailure("cannot read the topics' settings", err)
	}
	for _, name := range names {
		d := topics[name]
		fmt.Fprintf(o.Out, "%s  id %s  %s  %s\n", name, topicID(d.ID),
			ask.CountWord(int64(len(d.Partitions)), "partition"), ask.CountWord(int64(d.Partitions.NumReplicas()), "replica"))
		rc, err := configs.On(name, nil)
		if err != nil {
			return ask.KafkaFailure("cannot read the settings of "+name, err)
		}
		for _, c := range rc.Configs {
			if c.Source == 1 && c.Value != nil {
				fmt.Fprintf(o.Out, "  %s=%s\n", c.Key, *c.Value)
			}
		}
	}
	fmt.Fprintln(o.Out)
	return nil
}

func topicAlter(o *ask.Options) *cobra.Command {
	var partitions int
	var configs, unset []string
	c := &cobra.Command{
		Use:     "alter NAME",
		Short:   "Add partitions, set and unset topic settings",
		Example: "  ottla topic alter orders --partitions 12\n  ottla topic alter orders --config retention.ms=3600000 --unset max.message.bytes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if partitions == 0 && len(configs) == 0 && len(unset) == 0 {
				return fail.Usagef("nothing to alter: give --partitions, --config or --unset")
			}
			set, err := keyValues(configs)
			if err != nil {
				return err
			}
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			name := args[0]
			if partitions != 0 {
				if err := growTopic(cmd.Context(), a, name, partitions); err != nil {
					return err
				}
			}
			if len(set)+len(unset) > 0 {
				if err := alterSettings(cmd.Context(), a, Resource{Topic: name}, set, unset); err != nil {
					return err
				}
			}
			return o.Print(done1("topic", name, "altered"))
		},
	}
	f := c.Flags()
	f.IntVarP(&partitions, "partitions", "p", 0, "the new number of partitions, larger than now")
	f.StringArrayVarP(&configs, "config", "c", nil, "set KEY=VALUE, may be repeated")
	f.StringArrayVar(&unset, "unset", nil, "let KEY fall back to its default, may be repeated")
	return c
}

func growTopic(ctx context.Context, a *kadm.Client, name string, partitions int) error {
	answers, err := a.UpdatePartitions(ctx, partitions, name)
	if err != nil {
		return ask.KafkaFailure("cannot add partitions to "+name, err)
	}
	r := answers[name]
	if r.Err != nil {
		return ask.TopicFailure("cannot bring "+name+" to "+strconv.Itoa(partitions)+" partitions", name, r.Err, r.ErrMessage)
	}
	return nil
}

// done1 is the table of a command that did one thing to one thing.
func done1(noun, name, result string) *out.Table {
	t := &out.Table{One: true, Columns: []out.Column{
		{Field: noun, Title: strings.ToUpper(noun)}, {Field: "result", Title: "RESULT"},
	}}
	t.Add(name, result)
	return t
}
