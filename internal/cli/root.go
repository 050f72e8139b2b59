package cli

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
)

// Run executes the command line and returns the exit code.
func Run(ctx context.Context, args []string, in io.Reader, stdout, stderr io.Writer) int {
	o := &options{in: in, out: stdout, err: stderr}
	root := newRoot(o)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return fail.OK
	}
	var silent *exitCode
	if errors.As(err, &silent) {
		return silent.code
	}
	fail.Print(stderr, usage(err), o.machine())
	return fail.CodeOf(usage(err))
}

// exitCode ends a command that has already said what there was to say.
type exitCode struct{ code int }

func (e *exitCode) Error() string { return "already reported" }

// usage turns cobra's own complaints into usage failures.
func usage(err error) error {
	var f *fail.Failure
	if errors.As(err, &f) {
		return err
	}
	text := err.Error()
	for _, prefix := range []string{"unknown command", "unknown flag", "unknown shorthand", "flag needs", "invalid argument", "accepts ", "requires "} {
		if strings.HasPrefix(text, prefix) {
			return fail.Usagef("%s", strings.ReplaceAll(text, "\n", " "))
		}
	}
	return err
}

func newRoot(o *options) *cobra.Command {
	root := &cobra.Command{
		Use:   "ottla",
		Short: "Event streaming and event-driven architecture in one binary",
		Long: "Ottla does Apache Kafka's job without the JVM: a durable, partitioned log that speaks\n" +
			"the Kafka protocol. `ottla dev` starts one on this machine; any Kafka client can use it.",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if !out.Known(o.format) {
				return fail.Usagef("-o %s is not a form of output: it takes %s", o.format, strings.Join(out.Formats, ", "))
			}
			return nil
		},
	}
	o.bind(root.PersistentFlags())
	root.AddCommand(devCommand(o), serveCommand(o), topicCommand(o), produceCommand(o),
		consumeCommand(o), configCommand(o), logCommand(o), clusterCommand(o), doctorCommand(o), explainCommand(o),
		kafkaCommand(o), versionCommand(o))
	return root
}

// group makes a noun: a command that only holds verbs.
func group(use, alias, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:     use,
		Aliases: []string{alias},
		Short:   short,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fail.Usagef("ottla %s has no command %q", use, args[0])
			}
			return c.Help()
		},
	}
	c.AddCommand(verbs...)
	return c
}
