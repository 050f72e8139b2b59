package topics

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
)

// TopicCommand is the noun topic.
func TopicCommand(o *ask.Options) *cobra.Command {
	list := topicList(o)
	c := ask.Noun("topic", "topics", "Create, list, describe, alter and delete topics",
		topicCreate(o), list, topicDescribe(o), topicAlter(o), topicDelete(o))
	return ask.PluralLists(c, list)
}

func topicCreate(o *ask.Options) *cobra.Command {
	var partitions int32
	var replicas int16
	var configs []string
	var dryRun, ifMissing bool
	c := &cobra.Command{
		Use:     "create NAME...",
		Short:   "Create topics",
		Example: "  ottla topic create orders --partitions 6 --config retention.ms=604800000",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			set, err := keyValues(configs)
			if err != nil {
				return err
			}
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			create := a.CreateTopics
			if dryRun {
				create = a.ValidateCreateTopics
			}
			answers, err := create(cmd.Context(), partitions, replicas, set, names...)
			if err != nil {
				return ask.KafkaFailure("cannot create "+strings.Join(names, ", "), err)
			}
			return reportCreated(o, names, answers, dryRun, ifMissing)
		},
	}
	f := c.Flags()
	f.Int32VarP(&partitions, "partitions", "p", -1, "number of partitions (-1: the server's num.partitions)")
	f.Int16VarP(&replicas, "replicas", "r", -1, "number of replicas (-1: the server's default)")
	f.StringArrayVarP(&configs, "config", "c", nil, "a topic setting as KEY=VALUE, may be repeated")
	f.BoolVar(&dryRun, "dry-run", false, "only check whether it could be created")
	f.BoolVar(&ifMissing, "if-not-exists", false, "a topic that exists already is no error")
	return c
}

func reportCreated(o *ask.Options, names []string, answers kadm.CreateTopicResponses, dryRun, ifMissing bool) error {
	t := &out.Table{Columns: []out.Column{
		{Field: "topic", Title: "TOPIC"}, {Field: "id", Title: "ID"},
		{Field: "partitions", Title: "PARTITIONS", Right: true}, {Field: "replicas", Title: "REPLICAS", Right: true},
		{Field: "result", Title: "RESULT"},
	}}
	word := "created"
	if dryRun {
		word = "could be created"
	}
	var failures []error
	for _, name := range names {
		r := answers[name]
		switch {
		case r.Err != nil && ifMissing && ask.KafkaName(r.Err) == "TOPIC_ALREADY_EXISTS":
			t.Add(name, nil, nil, nil, "exists already")
		case r.Err != nil:
			failures = append(failures, ask.TopicFailure("cannot create topic "+name, name, r.Err, r.ErrMessage))
		default:
			t.Add(name, topicID(r.ID), r.NumPartitions, r.ReplicationFactor, word)
		}
	}
	return o.PrintPartly(t, failures)
}

func topicList(o *ask.Options) *cobra.Command {
	var internal bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List topics",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			list := a.ListTopics
			if internal {
				list = a.ListTopicsWithInternal
			}
			topics, err := list(cmd.Context())
			if err != nil {
				return ask.KafkaFailure("cannot list topics", err)
			}
			t := &out.Table{Empty: "no topics yet: make one with \"ottla topic create NAME\"", Columns: []out.Column{
				{Field: "topic", Title: "TOPIC"}, {Field: "partitions", Title: "PARTITIONS", Right: true},
				{Field: "replicas", Title: "REPLICAS", Right: true}, {Field: "id", Title: "ID"}, {Field: "internal"},
			}}
			for _, d := range topics.Sorted() {
				t.Add(d.Topic, len(d.Partitions), d.Partitions.NumReplicas(), topicID(d.ID), d.IsInternal)
			}
			return o.Print(t)
		},
	}
	c.Flags().BoolVar(&internal, "internal", false, "show internal topics too")
	return c
}

func topicDelete(o *ask.Options) *cobra.Command {
	var dryRun, ifExists bool
	c := &cobra.Command{
		Use:   "delete NAME...",
		Short: "Delete topics with all their records",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if dryRun {
				return previewDelete(cmd.Context(), o, a, names)
			}
			answers, err := a.DeleteTopics(cmd.Context(), names...)
			if err != nil {
				return ask.KafkaFailure("cannot delete "+strings.Join(names, ", "), err)
			}
			t := &out.Table{Columns: []out.Column{{Field: "topic", Title: "TOPIC"}, {Field: "result", Title: "RESULT"}}}
			var failures []error
			for _, name := range names {
				r := answers[name]
				switch {
				case r.Err != nil && ifExists && ask.KafkaName(r.Err) == "UNKNOWN_TOPIC_OR_PARTITION":
					t.Add(name, "was not there")
				case r.Err != nil:
					failures = append(failures, ask.TopicFailure("cannot delete topic "+name, name, r.Err, r.ErrMessage))
				default:
					t.Add(name, "deleted")
				}
			}
			return o.PrintPartly(t, failures)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would go")
	c.Flags().BoolVar(&ifExists, "if-exists", false, "a topic that is not there is no error")
	return c
}

func previewDelete(ctx context.Context, o *ask.Options, a *kadm.Client, names []string) error {
	starts, ends, err := ask.Offsets(ctx, a, names...)
	if err != nil {
		return err
	}
	t := &out.Table{Columns: []out.Column{
		{Field: "topic", Title: "TOPIC"}, {Field: "partitions", Title: "PARTITIONS", Right: true},
		{Field: "records", Title: "RECORDS", Right: true}, {Field: "result", Title: "RESULT"},
	}}
	for _, name := range slices.Sorted(slices.Values(names)) {
		if len(ends[name]) == 0 {
			return ask.TopicFailure("cannot delete topic "+name, name, ask.ErrUnknownTopic, "")
		}
		var records int64
		for p, e := range ends[name] {
			records += e.Offset - starts[name][p].Offset
		}
		t.Add(name, len(ends[name]), records, "would be deleted")
	}
	return o.Print(t)
}

// topicID is Kafka's form of an id, as its own tools print it.
func topicID(id kadm.TopicID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// keyValues reads KEY=VALUE arguments.
func keyValues(args []string) (map[string]*string, error) {
	set := map[string]*string{}
	for _, kv := range args {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return nil, fail.Usagef("%q is not KEY=VALUE", kv)
		}
		set[k] = &v
	}
	return set, nil
}
