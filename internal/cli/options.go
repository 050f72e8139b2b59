package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/out"
)

// defaultBootstrap is where `ottla dev` listens.
const defaultBootstrap = "127.0.0.1:9092"

// options are what all commands share.
type options struct {
	in       io.Reader
	out, err io.Writer

	bootstrap      string
	format         string
	connectTimeout time.Duration
	timeout        time.Duration
}

// bind adds the flags of all commands.
func (o *options) bind(f *pflag.FlagSet) {
	f.StringVarP(&o.bootstrap, "bootstrap-server", "b", envOr("OTTLA_BOOTSTRAP_SERVER", defaultBootstrap), "host:port of any node, or several with commas")
	f.StringVarP(&o.format, "output", "o", "table", "form of the output: "+strings.Join(out.Formats, ", "))
	f.DurationVar(&o.connectTimeout, "connect-timeout", 5*time.Second, "how long to try to reach the cluster")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "how long one request may take")
}

// machine tells whether a program reads the output.
func (o *options) machine() bool { return o.format == "json" || o.format == "ndjson" }

// print shows a table in the form that is asked for.
func (o *options) print(t *out.Table) error {
	if f, ok := o.out.(*os.File); ok && terminal(f) {
		t.Width = out.WidthOf(f)
	}
	return t.Print(o.out, o.format)
}

// envOr is a variable of the environment, or something else where it is not set.
func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// terminal tells whether w is a terminal, so that a person reads it.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// completeWithin bounds what a shell waits for names from the cluster.
const completeWithin = 2 * time.Second

// completion gives the words of one argument; the shell filters them.
type completion = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// live completes with names that the cluster knows now; without a cluster there
// are none, and no error either.
func (o *options) live(names func(context.Context, *kadm.Client) ([]string, error)) completion {
	return func(cmd *cobra.Command, taken []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx := cmd.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		ctx, cancel := context.WithTimeout(ctx, completeWithin)
		defer cancel()
		a, done, err := o.admin(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer done()
		all, err := names(ctx, a)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return slices.DeleteFunc(all, func(n string) bool { return slices.Contains(taken, n) }), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeTopics completes names of topics.
func (o *options) completeTopics(cmd *cobra.Command, taken []string, word string) ([]string, cobra.ShellCompDirective) {
	return o.live(func(ctx context.Context, a *kadm.Client) ([]string, error) {
		topics, err := a.ListTopics(ctx)
		return topics.Names(), err
	})(cmd, taken, word)
}

// oneTopic completes the first argument only.
func (o *options) oneTopic(cmd *cobra.Command, taken []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(taken) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return o.completeTopics(cmd, taken, word)
}

// completeGroups completes names of groups.
func (o *options) completeGroups(cmd *cobra.Command, taken []string, word string) ([]string, cobra.ShellCompDirective) {
	return o.live(func(ctx context.Context, a *kadm.Client) ([]string, error) {
		groups, err := a.ListGroups(ctx)
		return groups.Groups(), err
	})(cmd, taken, word)
}
