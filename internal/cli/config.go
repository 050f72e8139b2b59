package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
)

// resource is what settings belong to: a topic, one broker, or (with neither)
// all brokers of the cluster.
type resource struct {
	topic  string
	broker int32 // -1 none
}

// String names the resource as the command line does.
func (r resource) String() string {
	switch {
	case r.topic != "":
		return "topic " + r.topic
	case r.broker >= 0:
		return fmt.Sprintf("broker %d", r.broker)
	}
	return "the cluster"
}

// configCommand is the noun config: settings of topics and nodes.
func configCommand(o *ask.Options) *cobra.Command {
	return ask.Noun("config", "configs", "Show and change settings of topics, brokers and the cluster",
		configList(o), configSet(o), configUnset(o))
}

// bindResource gives a command the flags that name a resource.
func bindResource(c *cobra.Command, r *resource) {
	c.Flags().StringVarP(&r.topic, "topic", "t", "", "the settings of this topic")
	c.Flags().Int32Var(&r.broker, "broker", -1, "the settings of the broker with this id")
}

func configList(o *ask.Options) *cobra.Command {
	var r resource
	var all bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List settings with their values and where each comes from",
		Example: "  ottla config list --topic orders\n" +
			"  ottla config list --broker 1 --all",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			found, err := describeResource(cmd.Context(), a, r)
			if err != nil {
				return err
			}
			t := &out.Table{Empty: "nothing is set on " + r.String() + ": --all shows the defaults", Columns: []out.Column{
				{Field: "name", Title: "NAME"}, {Field: "value", Title: "VALUE"}, {Field: "source", Title: "SOURCE"},
			}}
			for _, s := range found {
				if all || r.owns(int8(s.Source)) {
					t.Add(s.Key, settingValue(s), sourceName(int8(s.Source)))
				}
			}
			return o.Print(t)
		},
	}
	bindResource(c, &r)
	c.Flags().BoolVarP(&all, "all", "a", false, "show every setting, not only those that were set")
	return c
}

// owns tells whether a value's source is an act of somebody rather than a
// built-in default.
func (r resource) owns(source int8) bool {
	if r.topic != "" {
		return source == 1
	}
	return source != 5
}

func settingValue(c kadm.Config) any {
	switch {
	case c.Sensitive:
		return "***"
	case c.Value == nil:
		return nil
	}
	return *c.Value
}

func sourceName(source int8) string {
	switch source {
	case 1:
		return "topic"
	case 2:
		return "broker"
	case 3:
		return "cluster"
	case 4:
		return "file, environment or flag"
	case 5:
		return "default"
	}
	return fmt.Sprintf("source %d", source)
}

func describeResource(ctx context.Context, a *kadm.Client, r resource) ([]kadm.Config, error) {
	what := "cannot read the settings of " + r.String()
	var found kadm.ResourceConfigs
	var err error
	name := r.topic
	if r.topic != "" {
		found, err = a.DescribeTopicConfigs(ctx, r.topic)
	} else if r.broker >= 0 {
		name = strconv.Itoa(int(r.broker))
		found, err = a.DescribeBrokerConfigs(ctx, r.broker)
	} else {
		found, err = a.DescribeBrokerConfigs(ctx)
	}
	if err != nil {
		return nil, ask.KafkaFailure(what, err)
	}
	rc, err := found.On(name, nil)
	if err != nil {
		return nil, ask.KafkaFailure(what, err)
	}
	if rc.Err != nil && r.topic != "" {
		return nil, ask.TopicFailure(what, r.topic, rc.Err, rc.ErrMessage)
	}
	if rc.Err != nil {
		return nil, ask.KafkaFailure(what, rc.Err)
	}
	slices.SortFunc(rc.Configs, func(x, y kadm.Config) int {
		if x.Key < y.Key {
			return -1
		}
		return 1
	})
	return rc.Configs, nil
}

func configSet(o *ask.Options) *cobra.Command {
	var r resource
	c := &cobra.Command{
		Use:     "set KEY=VALUE...",
		Short:   "Set settings of a topic, a broker, or (with neither) of the whole cluster",
		Example: "  ottla config set retention.ms=86400000 --topic orders",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := keyValues(args)
			if err != nil {
				return err
			}
			return changeSettings(cmd.Context(), o, r, set, nil)
		},
	}
	bindResource(c, &r)
	return c
}

func configUnset(o *ask.Options) *cobra.Command {
	var r resource
	c := &cobra.Command{
		Use:   "unset KEY...",
		Short: "Let settings fall back to their defaults",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeSettings(cmd.Context(), o, r, nil, args)
		},
	}
	bindResource(c, &r)
	return c
}

func changeSettings(ctx context.Context, o *ask.Options, r resource, set map[string]*string, unset []string) error {
	a, done, err := o.Admin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := alterSettings(ctx, a, r, set, unset); err != nil {
		return err
	}
	return o.Print(done1("resource", r.String(), "altered"))
}

// alterSettings changes settings in one request, all or none.
func alterSettings(ctx context.Context, a *kadm.Client, r resource, set map[string]*string, unset []string) error {
	var alter []kadm.AlterConfig
	for k, v := range set {
		alter = append(alter, kadm.AlterConfig{Op: kadm.SetConfig, Name: k, Value: v})
	}
	for _, k := range unset {
		alter = append(alter, kadm.AlterConfig{Op: kadm.DeleteConfig, Name: k})
	}
	what := "cannot change the settings of " + r.String()
	var answers kadm.AlterConfigsResponses
	var err error
	switch {
	case r.topic != "":
		answers, err = a.AlterTopicConfigs(ctx, alter, r.topic)
	case r.broker >= 0:
		answers, err = a.AlterBrokerConfigs(ctx, alter, r.broker)
	default:
		answers, err = a.AlterBrokerConfigs(ctx, alter)
	}
	if err != nil {
		return ask.KafkaFailure(what, err)
	}
	for _, x := range answers {
		if x.Err != nil && r.topic != "" {
			return ask.TopicFailure(what, r.topic, x.Err, x.ErrMessage)
		}
		if x.Err != nil {
			return &fail.Failure{Code: fail.Failed, What: what, Why: x.ErrMessage, KafkaError: ask.KafkaName(x.Err), Cause: x.Err}
		}
	}
	return nil
}
