package cli

import (
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/admin"
	"ottla/internal/cli/ask"
	"ottla/internal/cli/events"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/kafkatools"
	"ottla/internal/cli/out"
	"ottla/internal/cli/outbox"
	"ottla/internal/cli/queues"
	"ottla/internal/cli/topics"
)

// Run executes the command line and returns the exit code.
func Run(ctx context.Context, args []string, in io.Reader, stdout, stderr io.Writer) int {
	o := &ask.Options{In: in, Out: stdout, Err: stderr}
	root := newRoot(o)
	root.SetFlagErrorFunc(flagError)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(stdout)
	root.SetErr(stderr)
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		return fail.OK
	}
	var ended *ask.ExitCode
	if errors.As(err, &ended) {
		return ended.Code
	}
	err = usage(ran, err)
	fail.Print(stderr, err, o.Machine())
	return fail.CodeOf(err)
}

// flagError tells of what begins as a flag does and is none: names may.
func flagError(c *cobra.Command, err error) error {
	text := strings.ReplaceAll(err.Error(), "\n", " ")
	f := fail.Usagef("%s", text)
	if strings.HasPrefix(text, "unknown") {
		f.Next += "; a name that begins with - goes behind the flags and --, as in " + c.CommandPath() + " -- -NAME"
	}
	return f
}

// usage turns cobra's own complaints into usage failures.
func usage(ran *cobra.Command, err error) error {
	var f *fail.Failure
	if errors.As(err, &f) {
		return err
	}
	text := err.Error()
	for _, prefix := range []string{"accepts ", "requires "} { // so many arguments
		if strings.HasPrefix(text, prefix) {
			f = fail.Usagef("%s %s", ran.CommandPath(), strings.ReplaceAll(text, "arg(s)", "arguments"))
			f.Next = "write it as " + ran.UseLine() + "; --help tells more"
			return f
		}
	}
	for _, prefix := range []string{"unknown command", "unknown flag", "unknown shorthand", "flag needs", "invalid argument"} {
		if strings.HasPrefix(text, prefix) {
			return fail.Usagef("%s", strings.ReplaceAll(text, "\n", " "))
		}
	}
	return err
}

// shorten has every noun take ls for list and rm for delete, as fingers are used to.
func shorten(c *cobra.Command) {
	for verb, short := range map[string]string{"list": "ls", "delete": "rm"} {
		if c.Name() == verb && c.HasParent() {
			c.Aliases = append(c.Aliases, short)
		}
	}
	for _, sub := range c.Commands() {
		shorten(sub)
	}
}

func newRoot(o *ask.Options) *cobra.Command {
	root := &cobra.Command{
		Use:   "ottla",
		Short: "Event streaming and event-driven architecture in one binary",
		Long: "Ottla does Apache Kafka's job without the JVM: a durable, partitioned log that speaks\n" +
			"the Kafka protocol. `ottla dev` starts one on this machine; any Kafka client can use it.",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if !out.Known(o.Format) {
				return fail.Usagef("-o %s is not a form of output: it takes %s", o.Format, strings.Join(out.Formats, ", "))
			}
			return nil
		},
	}
	o.Bind(root.PersistentFlags())
	root.AddCommand(devCommand(o), serveCommand(o), topics.TopicCommand(o), topics.ProduceCommand(o),
		topics.ConsumeCommand(o), topics.ConfigCommand(o), topics.LogCommand(o), admin.ClusterCommand(o, clusterToken(o)), topics.GroupCommand(o), queues.DLQCommand(o), queues.QueueCommand(o), queues.ScheduleCommand(o), events.EventCommand(o), events.BusCommand(o), events.RuleCommand(o), events.TargetCommand(o), events.ArchiveCommand(o), events.ReplayCommand(o), events.FunctionCommand(o), events.ConnectionCommand(o), events.DestinationCommand(o), events.ApplyCommand(o), events.SNSCommand(o), outbox.OutboxCommand(o), events.WebhookCommand(o), awsCommand(o), topics.TxnCommand(o), admin.DoctorCommand(o), admin.ExplainCommand(o),
		kafkaCommand(o), versionCommand(o))
	completeNames(o, root)
	shorten(root)
	return root
}

// RunProgram is Run for a binary that was called by a name of its own: called
// as kafka-topics or kafka-topics.sh it is that tool of Kafka.
func RunProgram(ctx context.Context, program string, args []string, in io.Reader, stdout, stderr io.Writer) int {
	if tool, ok := kafkatools.ForProgram(program); ok {
		return kafkatools.Run(ctx, tool, args, in, stdout, stderr)
	}
	return Run(ctx, args, in, stdout, stderr)
}

// kafkaCommand holds Kafka's tools. Their flags are Kafka's, so cobra hands
// every word on.
func kafkaCommand(o *ask.Options) *cobra.Command {
	var all []*cobra.Command
	for _, name := range kafkatools.Names() {
		all = append(all, &cobra.Command{
			Use:                name,
			Aliases:            []string{"kafka-" + name, "kafka-" + name + ".sh"},
			Short:              kafkatools.About(name),
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				if code := kafkatools.Run(cmd.Context(), name, args, o.In, o.Out, o.Err); code != fail.OK {
					return ask.Silent(code)
				}
				return nil
			},
		})
	}
	c := ask.Noun("kafka", "", "Kafka's own tools, with their flags and output", all...)
	c.Aliases = nil
	c.Long = "Kafka's own command-line tools, with Kafka's flags and output. They also run when this\n" +
		"binary is called by a tool's name: ln -s ottla kafka-topics.sh"
	c.Example = "  ottla kafka topics --bootstrap-server 127.0.0.1:9092 --list"
	return c
}

func versionCommand(o *ask.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of this binary",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			t := &out.Table{One: true, Columns: []out.Column{
				{Field: "version", Title: "VERSION"}, {Field: "kafka_protocol", Title: "KAFKA PROTOCOL"},
				{Field: "revision", Title: "REVISION"}, {Field: "go", Title: "GO"}, {Field: "platform", Title: "PLATFORM"},
			}}
			t.Add(ask.Version, ask.KafkaRelease, revision(), runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
			return o.Print(t)
		},
	}
}

func revision() any {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return nil
}
