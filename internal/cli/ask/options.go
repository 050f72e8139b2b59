package ask

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/out"
)

// DefaultBootstrap is where `ottla dev` listens.
const DefaultBootstrap = "127.0.0.1:9092"

// Options are what all commands share.
type Options struct {
	In       io.Reader
	Out, Err io.Writer

	Bootstrap      string
	Format         string
	ConnectTimeout time.Duration
	Timeout        time.Duration

	found atomic.Pointer[string] // where HTTP is answered, once it was looked for
}

// Quiet are the same options for commands whose output nobody wants.
func (o *Options) Quiet() *Options {
	return &Options{In: o.In, Out: io.Discard, Err: o.Err, Bootstrap: o.Bootstrap, Format: o.Format, ConnectTimeout: o.ConnectTimeout, Timeout: o.Timeout}
}

// Bind adds the flags of all commands.
func (o *Options) Bind(f *pflag.FlagSet) {
	f.StringVarP(&o.Bootstrap, "bootstrap-server", "b", EnvOr("OTTLA_BOOTSTRAP_SERVER", DefaultBootstrap), "host:port of any node, or several with commas")
	f.StringVarP(&o.Format, "output", "o", "table", "form of the output: "+strings.Join(out.Formats, ", "))
	f.DurationVar(&o.ConnectTimeout, "connect-timeout", 5*time.Second, "how long to try to reach the cluster")
	f.DurationVar(&o.Timeout, "timeout", 30*time.Second, "how long one request may take")
}

// Machine tells whether a program reads the output.
func (o *Options) Machine() bool { return o.Format == "json" || o.Format == "ndjson" }

// Print shows a table in the form that is asked for.
func (o *Options) Print(t *out.Table) error {
	if f, ok := o.Out.(*os.File); ok && Terminal(f) {
		t.Width = out.WidthOf(f)
	}
	return t.Print(o.Out, o.Format)
}

// EnvOr is a variable of the environment, or something else where it is not set.
func EnvOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// Terminal tells whether w is a terminal, so that a person reads it.
func Terminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// completeWithin bounds what a shell waits for names from the cluster.
const completeWithin = 2 * time.Second

// Completion gives the words of one argument; the shell filters them.
type Completion = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// Live completes with names that the cluster knows now; without a cluster there
// are none, and no error either.
func (o *Options) Live(names func(context.Context, *kadm.Client) ([]string, error)) Completion {
	return func(cmd *cobra.Command, taken []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx := cmd.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		ctx, cancel := context.WithTimeout(ctx, completeWithin)
		defer cancel()
		a, done, err := o.Admin(ctx)
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

// CompleteTopics completes names of topics.
func (o *Options) CompleteTopics(cmd *cobra.Command, taken []string, word string) ([]string, cobra.ShellCompDirective) {
	return o.Live(func(ctx context.Context, a *kadm.Client) ([]string, error) {
		topics, err := a.ListTopics(ctx)
		return topics.Names(), err
	})(cmd, taken, word)
}

// OneTopic completes the first argument only.
func (o *Options) OneTopic(cmd *cobra.Command, taken []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(taken) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return o.CompleteTopics(cmd, taken, word)
}

// CompleteGroups completes names of groups.
func (o *Options) CompleteGroups(cmd *cobra.Command, taken []string, word string) ([]string, cobra.ShellCompDirective) {
	return o.Live(func(ctx context.Context, a *kadm.Client) ([]string, error) {
		groups, err := a.ListGroups(ctx)
		return groups.Groups(), err
	})(cmd, taken, word)
}
