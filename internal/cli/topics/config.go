package topics

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

// Resource is what settings belong to: a topic, one broker, or (with neither)
// all brokers of the cluster.
type Resource struct {
	Topic  string
	Broker int32 // -1 none
}

// String names the resource as the command line does.
func (r Resource) String() string {
	switch {
	case r.Topic != "":
		return "topic " + r.Topic
	case r.Broker >= 0:
		return fmt.Sprintf("broker %d", r.Broker)
	}
	return "the cluster"
}

// ConfigCommand is the noun config: settings of topics and nodes.
func ConfigCommand(o *ask.Options) *cobra.Command {
	return ask.Noun("config", "configs", "Show and change settings of topics, brokers and the cluster",
		configList(o), configSet(o), configUnset(o))
}

// BindResource gives a command the flags that name a resource.
func BindResource(c *cobra.Command, r *Resource) {
	c.Flags().StringVarP(&r.Topic, "topic", "t", "", "the settings of this topic")
	c.Flags().Int32Var(&r.Broker, "broker", -1, "the settings of the broker with this id")
}

func configList(o *ask.Options) *cobra.Command {
	var r Resource
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
			found, err := DescribeResource(cmd.Context(), a, r)
			if err != nil {
				return err
			}
			t := &out.Table{Empty: "nothing is set on " + r.String() + ": --all shows the defaults", Columns: []out.Column{
				{Field: "name", Title: "NAME"}, {Field: "value", Title: "VALUE"}, {Field: "source", Title: "SOURCE"},
			}}
			for _, s := range found {
				if all || r.owns(int8(s.Source)) {
					t.Add(s.Key, SettingValue(s), SourceName(int8(s.Source)))
				}
			}
			return o.Print(t)
		},
	}
	BindResource(c, &r)
	c.Flags().BoolVarP(&all, "all", "a", false, "show every setting, not only those that were set")
	return c
}

// owns tells whether a value's source is an act of somebody rather than a
// built-in default.
func (r Resource) owns(source int8) bool {
	if r.Topic != "" {
		return source == 1
	}
	return source != 5
}

// SettingValue is the value of a setting for people; what is secret is not shown.
func SettingValue(c kadm.Config) any {
	switch {
	case c.Sensitive:
		return "***"
	case c.Value == nil:
		return nil
	}
	return *c.Value
}

// SourceName says where a value of a setting is from.
func SourceName(source int8) string {
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

// DescribeResource reads the settings of a resource from the cluster.
func DescribeResource(ctx context.Context, a *kadm.Client, r Resource) ([]kadm.Config, error) {
	what := "cannot read the settings of " + r.String()
	var found kadm.ResourceConfigs
	var err error
	name := r.Topic
	if r.Topic != "" {
		found, err = a.DescribeTopicConfigs(ctx, r.Topic)
	} else if r.Broker >= 0 {
		name = strconv.Itoa(int(r.Broker))
		found, err = a.DescribeBrokerConfigs(ctx, r.Broker)
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
	if rc.Err != nil && r.Topic != "" {
		return nil, ask.TopicFailure(what, r.Topic, rc.Err, rc.ErrMessage)
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
	var r Resource
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
	BindResource(c, &r)
	return c
}

func configUnset(o *ask.Options) *cobra.Command {
	var r Resource
	c := &cobra.Command{
		Use:   "unset KEY...",
		Short: "Let settings fall back to their defaults",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeSettings(cmd.Context(), o, r, nil, args)
		},
	}
	BindResource(c, &r)
	return c
}

func changeSettings(ctx context.Context, o *ask.Options, r Resource, set map[string]*string, unset []string) error {
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
func alterSettings(ctx context.Context, a *kadm.Client, r Resource, set map[string]*string, unset []string) error {
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
	case r.Topic != "":
		answers, err = a.AlterTopicConfigs(ctx, alter, r.Topic)
	case r.Broker >= 0:
		answers, err = a.AlterBrokerConfigs(ctx, alter, r.Broker)
	default:
		answers, err = a.AlterBrokerConfigs(ctx, alter)
	}
	if err != nil {
		return ask.KafkaFailure(what, err)
	}
	for _, x := range answers {
		if x.Err != nil && r.Topic != "" {
			return ask.TopicFailure(what, r.Topic, x.Err, x.ErrMessage)
		}
		if x.Err != nil {
			return &fail.Failure{Code: fail.Failed, What: what, Why: x.ErrMessage, KafkaError: ask.KafkaName(x.Err), Cause: x.Err}
		}
	}
	return nil
}
