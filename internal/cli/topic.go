package cli

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
)

func topicCommand(o *options) *cobra.Command {
	list := topicList(o)
	c := group("topic", "topics", "Create, list, describe, alter and delete topics",
		topicCreate(o), list, topicDescribe(o), topicAlter(o), topicDelete(o))
	return pluralLists(c, list)
}

func topicCreate(o *options) *cobra.Command {
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
			a, done, err := o.admin(cmd.Context())
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
				return kafkaFailure("cannot create "+strings.Join(names, ", "), err)
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

func reportCreated(o *options, names []string, answers kadm.CreateTopicResponses, dryRun, ifMissing bool) error {
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
		case r.Err != nil && ifMissing && kafkaName(r.Err) == "TOPIC_ALREADY_EXISTS":
			t.Add(name, nil, nil, nil, "exists already")
		case r.Err != nil:
			failures = append(failures, topicFailure("cannot create topic "+name, name, r.Err, r.ErrMessage))
		default:
			t.Add(name, topicID(r.ID), r.NumPartitions, r.ReplicationFactor, word)
		}
	}
	return o.printPartly(t, failures)
}

// printPartly prints what worked and reports the first failure; the exit code
// says "partly" when both are there.
func (o *options) printPartly(t *out.Table, failures []error) error {
	if len(t.Rows) > 0 {
		if err := o.print(t); err != nil {
			return err
		}
	}
	if len(failures) == 0 {
		return nil
	}
	for _, f := range failures[1:] {
		fail.Print(o.err, f, o.machine())
	}
	if len(t.Rows) > 0 {
		fail.Print(o.err, failures[0], o.machine())
		return silent(fail.Partly)
	}
	return failures[0]
}

func topicList(o *options) *cobra.Command {
	var internal bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List topics",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, done, err := o.admin(cmd.Context())
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
				return kafkaFailure("cannot list topics", err)
			}
			t := &out.Table{Empty: "no topics yet: make one with \"ottla topic create NAME\"", Columns: []out.Column{
				{Field: "topic", Title: "TOPIC"}, {Field: "partitions", Title: "PARTITIONS", Right: true},
				{Field: "replicas", Title: "REPLICAS", Right: true}, {Field: "id", Title: "ID"}, {Field: "internal"},
			}}
			for _, d := range topics.Sorted() {
				t.Add(d.Topic, len(d.Partitions), d.Partitions.NumReplicas(), topicID(d.ID), d.IsInternal)
			}
			return o.print(t)
		},
	}
	c.Flags().BoolVar(&internal, "internal", false, "show internal topics too")
	return c
}

func topicDelete(o *options) *cobra.Command {
	var dryRun, ifExists bool
	c := &cobra.Command{
		Use:   "delete NAME...",
		Short: "Delete topics with all their records",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			a, done, err := o.admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if dryRun {
				return previewDelete(cmd.Context(), o, a, names)
			}
			answers, err := a.DeleteTopics(cmd.Context(), names...)
			if err != nil {
				return kafkaFailure("cannot delete "+strings.Join(names, ", "), err)
			}
			t := &out.Table{Columns: []out.Column{{Field: "topic", Title: "TOPIC"}, {Field: "result", Title: "RESULT"}}}
			var failures []error
			for _, name := range names {
				r := answers[name]
				switch {
				case r.Err != nil && ifExists && kafkaName(r.Err) == "UNKNOWN_TOPIC_OR_PARTITION":
					t.Add(name, "was not there")
				case r.Err != nil:
					failures = append(failures, topicFailure("cannot delete topic "+name, name, r.Err, r.ErrMessage))
				default:
					t.Add(name, "deleted")
				}
			}
			return o.printPartly(t, failures)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would go")
	c.Flags().BoolVar(&ifExists, "if-exists", false, "a topic that is not there is no error")
	return c
}

func previewDelete(ctx context.Context, o *options, a *kadm.Client, names []string) error {
	starts, ends, err := offsets(ctx, a, names...)
	if err != nil {
		return err
	}
	t := &out.Table{Columns: []out.Column{
		{Field: "topic", Title: "TOPIC"}, {Field: "partitions", Title: "PARTITIONS", Right: true},
		{Field: "records", Title: "RECORDS", Right: true}, {Field: "result", Title: "RESULT"},
	}}
	for _, name := range slices.Sorted(slices.Values(names)) {
		if len(ends[name]) == 0 {
			return topicFailure("cannot delete topic "+name, name, errUnknownTopic, "")
		}
		var records int64
		for p, e := range ends[name] {
			records += e.Offset - starts[name][p].Offset
		}
		t.Add(name, len(ends[name]), records, "would be deleted")
	}
	return o.print(t)
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

// countWord is a number of things: 1 topic, 2 topics.
func countWord(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
