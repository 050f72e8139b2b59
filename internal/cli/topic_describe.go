package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
)

// errUnknownTopic is what Kafka says of a topic that is not there.
var errUnknownTopic = kerr.UnknownTopicOrPartition

func topicDescribe(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "describe NAME...",
		Short: "Show partitions with their offsets, and what is set on the topic",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			a, done, err := o.admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			topics, err := a.ListTopicsWithInternal(cmd.Context(), names...)
			if err != nil {
				return kafkaFailure("cannot describe topics", err)
			}
			for _, name := range names {
				if d, ok := topics[name]; !ok || d.Err != nil {
					return topicFailure("cannot describe topic "+name, name, errUnknownTopic, "")
				}
			}
			starts, ends, err := offsets(cmd.Context(), a, names...)
			if err != nil {
				return err
			}
			if o.format == "table" {
				if err := describeSettings(cmd.Context(), o, a, names, topics); err != nil {
					return err
				}
			}
			return o.print(partitionTable(names, topics, starts, ends))
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
func describeSettings(ctx context.Context, o *options, a *kadm.Client, names []string, topics kadm.TopicDetails) error {
	configs, err := a.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return kafkaFailure("cannot read the topics' settings", err)
	}
	for _, name := range names {
		d := topics[name]
		fmt.Fprintf(o.out, "%s  id %s  %s  %s\n", name, topicID(d.ID),
			countWord(int64(len(d.Partitions)), "partition"), countWord(int64(d.Partitions.NumReplicas()), "replica"))
		rc, err := configs.On(name, nil)
		if err != nil {
			return kafkaFailure("cannot read the settings of "+name, err)
		}
		for _, c := range rc.Configs {
			if c.Source == 1 && c.Value != nil {
				fmt.Fprintf(o.out, "  %s=%s\n", c.Key, *c.Value)
			}
		}
	}
	fmt.Fprintln(o.out)
	return nil
}

// offsets are where the partitions of topics begin and end.
func offsets(ctx context.Context, a *kadm.Client, names ...string) (starts, ends kadm.ListedOffsets, err error) {
	starts, err = a.ListStartOffsets(ctx, names...)
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, nil, kafkaFailure("cannot read the start offsets", err)
	}
	ends, err = a.ListEndOffsets(ctx, names...)
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, nil, kafkaFailure("cannot read the end offsets", err)
	}
	return starts, ends, nil
}

func topicAlter(o *options) *cobra.Command {
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
			a, done, err := o.admin(cmd.Context())
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
				if err := alterSettings(cmd.Context(), a, resource{topic: name}, set, unset); err != nil {
					return err
				}
			}
			return o.print(done1("topic", name, "altered"))
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
		return kafkaFailure("cannot add partitions to "+name, err)
	}
	r := answers[name]
	if r.Err != nil {
		return topicFailure("cannot bring "+name+" to "+strconv.Itoa(partitions)+" partitions", name, r.Err, r.ErrMessage)
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

// topicFailure words a failure about one topic, with the next step where there
// is one.
func topicFailure(what, name string, err error, message string) error {
	f := &fail.Failure{Code: fail.Failed, What: what, Why: err.Error(), Cause: err}
	var k *kerr.Error
	if errors.As(err, &k) {
		f.KafkaError, f.Code, f.Why = k.Message, exitOf(k), detail(err, k)
	}
	if message != "" {
		f.Why = message
	}
	switch f.KafkaError {
	case "UNKNOWN_TOPIC_OR_PARTITION":
		f.Why = "there is no topic " + name
		f.Next = "\"ottla topic list\" shows what there is, \"ottla topic create " + name + "\" makes it"
	case "TOPIC_ALREADY_EXISTS":
		f.Next = "\"ottla topic describe " + name + "\" shows it; --if-not-exists makes this no error"
	case "INVALID_CONFIG":
		f.Next = "\"ottla config list --topic " + name + "\" shows the settings and their values"
	}
	return f
}

// kafkaName is Kafka's name of an error; empty where it has none.
func kafkaName(err error) string {
	var k *kerr.Error
	if errors.As(err, &k) {
		return k.Message
	}
	return ""
}
